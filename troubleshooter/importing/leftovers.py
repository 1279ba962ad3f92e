"""How one tells what is no part of an article: by what it says, and by the classes of a page."""

import re

from django.utils.translation import gettext_lazy as _

# --- What a line says ---

LEFTOVER = re.compile(
    r"(?:close|copy(?: link| code)?|copied!?|share|tweet|pin(?: it)?|print(?: this page)?|e-?mail|advertisement|sponsored|loading\.*|expand|collapse|show (?:more|less|all)|read more|menu|search|"
    r"(?:↑\s*)?back to (?:the )?top(?:\s*↑)?|top|next|previous|skip to (?:main )?content|edit (?:this page|on github)|download pdf|schließen|teilen|anzeige|nach oben|cerrar|compartir|publicidad|volver arriba|إغلاق|مشاركة|إعلان|閉じる|シェア|広告|トップへ戻る|yes\s*[/|]?\s*no|excellent|"
    r"\d[\d.,]* (?:comments?|shares?|views?|likes?)|\d+ min(?:ute)?s? read)\W*",
    re.IGNORECASE,
)
ALSO = re.compile(
    r"(?:(?:you (?:may|might) )?also (?:read|like|see)|read (?:also|more|next)|related (?:articles?|posts?|reading|content|stories|guides|topics)|more (?:articles|from|stories)|recommended(?: (?:for you|reading|articles))?|similar (?:articles|posts)|"
    r"you (?:may|might) (?:also )?(?:like|be interested in)|lesen sie auch|das könnte (?:sie|dich) .{0,20}|verwandte artikel|mehr zum thema|también te puede interesar|artículos relacionados|lee también|اقرأ أيضًا|اقرأ أيضا|مقالات ذات صلة|関連記事|あわせて読みたい|hot products)\s*[:：]?",
    re.IGNORECASE,
)
FOOTER = re.compile(
    r"^\W*(?:copyright\b|©|\(c\)\s*\d{4}|all rights reserved|alle rechte vorbehalten|todos los derechos reservados|جميع الحقوق)|(?:all rights reserved|alle rechte vorbehalten|todos los derechos reservados)\W*$",
    re.IGNORECASE,
)
LEGAL = re.compile(
    r"\b(?:trademarks?|registered in the|is not (?:developed|affiliated)|not affiliated with|markenzeichen|marcas? registradas?)\b",
    re.IGNORECASE,
)
AUTHOR = re.compile(
    r"^\W*(?:(?:written |posted |published |reviewed |updated )?by|von|por|autor:?|author:?)\s.{0,120}(?:\d{4}|updated|published|min read|aktualisiert|actualizado)|"
    r"^\W*(?:(?:last )?(?:updated|modified|reviewed|published)(?: on| by|:)?|zuletzt aktualisiert|última actualización)\b.{0,60}\d{2,4}.{0,30}$|\d{4}.{0,30}/\s*updated by\b.{0,80}",
    re.IGNORECASE,
)
TAGS = re.compile(
    r"^\W*(?:tags?|categories|filed under|labels|schlagwörter|etiquetas)\s*[:：]", re.IGNORECASE
)
HELPFUL = re.compile(
    r"^\W*(?:(?:was|is|did|has) this (?:article|page|post|answer|guide|information|help|helpful|useful)\b.{0,60}\?|.{0,20}found this (?:helpful|useful).{0,40}|what do you think of this post\??|how useful was this.{0,30}|rate this (?:article|page).{0,20}|rating:\s*[\d.].{0,60}|war (?:dieser artikel|das) hilfreich.{0,20}|¿?(?:te|le) (?:ha )?(?:fue|sido|resultó) útil.{0,40}|هل كان .{0,30}مفيد.{0,10}|この(?:記事|ページ)は(?:役に立ち|参考になり).{0,10})(?:\s*(?:yes|no|ja|nein|sí|はい|いいえ)\W*){0,2}$",
    re.IGNORECASE,
)
CRUMBS = re.compile(
    r"^\W*(?:home|start(?:seite)?|inicio|help center|support|docs|الرئيسية|ホーム)\W{0,12}(?:>|›|»|/|\||→)",
    re.IGNORECASE,
)

# --- Classes and ids of elements ---

_CLASSES = (
    (r"breadcrumbs?", _("site navigation")),
    (r"side-?bar|site-?nav\w*|nav-?bar|navigation|nav-?menu|menu-?bar|pagination|pager|prev-?next|pn|toc|"
     r"table-of-contents|on-this-page|skip-?(?:link|nav|to-content)?|mobile-?menu|site-?header|masthead|"
     r"site-?footer|page-?footer|footer", _("site navigation")),
    (r"share|share-?(?:bar|buttons?|icons?|links?)|social|social-?\w+|addtoany\w*|sharing|sharedaddy",
     _("a share bar")),
    (r"ads?|adsbygoogle|ad-?(?:container|wrapper|block|unit|slot|banner)|advert\w*|sponsor\w*|affiliate\w*|"
     r"promo(?:tion)?(?:-?(?:box|banner|bar))?", _("an advertisement")),
    (r"comments?|comment-?(?:list|form|area|section)|disqus\w*|respond", _("comments")),
    (r"author-?(?:box|bio|info|card)?|byline|post-?author|about-?author", _("about the author")),
    (r"related(?:-?\w+)?|also-?read|you-?may-?(?:also-?)?like|recommended(?:-?\w+)?|read-?next|more-?articles",
     _("“also read”")),
    (r"feedback|rating|ratings?-?\w+|was-?this-?helpful|helpful|vote|article-?votes?|survey",
     _("a question about this page")),
    (r"cookie\w*|cookie-?\w+|consent\w*|newsletter\w*|subscribe\w*|popup|modal-?backdrop|search-?(?:box|bar|form|results)",
     _("not a part of the article")),
    (r"copy-?(?:btn|button|code)|headerlink|anchor-?link|header-?anchor|permalink|visually-?hidden|sr-?only|"
     r"screen-?reader\w*|edit-?(?:link|page)|btn-?\w*(?:pdf|copy|print)\w*|print-?button|meta-?row", _("a button")),
)  # fmt: skip
JUNK_CLASSES = [
    (re.compile(rf"(?:[\w-]+[_-]{{2}})?(?:{names})", re.IGNORECASE), why) for names, why in _CLASSES
]
