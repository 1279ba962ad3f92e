"""Words by which headings and sentences are understood, in the languages we meet.

English, German, Spanish, Arabic, Japanese, and some French. They are words of the trade, not of
any site: what a section is for, what numbers a remedy, what begins an instruction.
"""

import re

# --- What a section is for: the whole title must match ---

_ROLES: dict[str, str] = {
    "symptom": r"""
        (?:the\ |common\ )?symptoms?(?:\ .{0,30})?|(?:the\ )?(?:problem|issue)(?:\ (?:description|summary|statement|details))?|
        (?:the\ )?error(?:\ messages?|\ details)?|example\ (?:error|message)s?|what\ (?:you\ see|happens|users\ see)|
        signs(?:\ .{0,40})?|symptome?|problem(?:beschreibung|stellung)?|fehler(?:bild|meldung|beschreibung)|
        síntomas?|problema|descripción(?:\ del\ (?:problema|error))?|mensaje\ de\ error|symptômes?|problème|
        الأعراض|المشكلة|أعراض.{0,30}|وصف\ المشكلة|رسالة\ الخطأ|症状|問題|現象|事象|問題の(?:説明|概要)|エラー(?:メッセージ)?""",
    "cause": r"""
        (?:the\ |most\ )?(?:likely\ |possible\ |probable\ |common\ |root\ |main\ )?(?:causes?|reasons?)
        (?:\ (?:of|for|behind|why)\ .{0,120}|\ \d+)?|what(?:\ is|'s|’s|\ are)?\ (?:causes?|causing|the\ (?:causes?|reasons?))\b.{0,120}|
        why\ (?:does|do|is|are|did)\ .{0,100}\b(?:happen|occur|appear|stop\ working|fail)\w*.{0,30}\??|why\ (?:this|it)\ happens|
        (?:mögliche\ |häufige\ |die\ )?ursachen?(?:\ .{0,80})?|gr[uü]nde?(?:\ für\ .{0,80})?|woran\ liegt\ .{0,60}|warum\ (?:passiert|tritt)\ .{0,80}|
        (?:posibles?\ |las\ )?causas?(?:\ .{0,80})?|(?:por\ qué|por\ que|¿por\ qué)\ (?:ocurre|sucede|pasa|aparece).{0,80}|motivos?(?:\ .{0,60})?|
        السبب|الأسباب|الأسباب\ .{0,60}|أسباب\ .{0,60}|سبب\ .{0,60}|لماذا\ .{0,60}|(?:考えられる|主な)?原因.{0,20}|causes?\ possibles?""",
    "resolution": r"""
        (?:quick\ |suggested\ |recommended\ |proposed\ |possible\ |permanent\ |temporary\ |simple\ |easy\ |the\ )?
        (?:re)?solutions?(?:\ (?:steps|to\ .{0,80}|for\ .{0,80}))?|(?:the\ |quick\ |easy\ |possible\ |basic\ |common\ )?fix(?:es)?|
        (?:the\ |possible\ )?work-?arounds?|remed(?:y|ies)|corrective\ actions?|(?:the\ )?(?:resolution|fix|solution|workaround)\ steps|
        lösung(?:en|sansätze|sschritte|swege|smöglichkeiten)?|(?:mögliche\ )?lösungen|abhilfe|problem(?:lösung|behebung|umgehung)|behebung|fehlerbehebung|
        (?:posibles\ )?soluci[oó]n(?:es)?(?:\ .{0,40})?|resoluci[oó]n|solution\ de\ contournement|résolution|
        الحل|الحلول|حل\ المشكلة|الحل\ البديل|القرار|الحلول\ .{0,40}|解決(?:策|方法|法)?|対処(?:法|方法|策)?|対応(?:方法|策)?|対策|回避策|修正方法""",
    "methods": r"""
        (?:basic\ |general\ |advanced\ |initial\ |further\ |additional\ |common\ )?troubleshoot(?:ing)?(?:\ (?:steps|tips|methods|guide|procedures?|the\ .{0,60}))?|
        (?:\d+\ |the\ |best\ |top\ |some\ |easy\ |simple\ |effective\ |quick\ ){0,4}(?:ways|methods|fixes|solutions|steps|things|options)\ (?:to|for|you)\ .{0,120}|
        how\ (?:to|do\ i|do\ you|can\ i|can\ you|you\ can)\ (?:fix|solve|resolve|repair|troubleshoot|get\ rid\ of|correct|stop)\b.{0,140}|
        try\ (?:these|the\ following|this).{0,60}|(?:what\ (?:you\ can|can\ you|to|should\ i|can\ i)|things\ to)\ (?:do|try)\b.{0,80}|
        steps(?:\ to\ .{0,80})?|if\ (?:that|this|it|none\ of\ th).{0,60}(?:work|help|fix|resolve|solve)\w*.{0,60}|
        (?:other|additional|alternative|advanced|more)\ (?:things|solutions|fixes|options|steps|methods|workarounds).{0,60}|
        so\ (?:beheben|lösen|behebst|geht)\ .{0,80}|was\ (?:du|sie|man)\ .{0,30}(?:tun|kann).{0,40}|schritte(?:\ zur\ .{0,60})?|das\ hilft.{0,60}|
        (?:los\ )?pasos(?:\ .{0,60})?|(?:cómo|como)\ (?:solucionar|resolver|arreglar|corregir|reparar)\b.{0,100}|qu[eé]\ (?:puedes\ )?hacer.{0,60}|
        (?:los\ )?(?:métodos|formas)\ (?:para|de)\ .{0,80}|comment\ (?:résoudre|réparer|corriger).{0,80}|
        خطوات\ .{0,60}|الخطوات|طرق\ .{0,60}|(?:كيفية|كيف)\ (?:حل|إصلاح|تصلح|يمكن|أصلح).{0,80}|استكشاف\ .{0,60}|
        手順|トラブルシューティング(?:の手順|方法)?|試(?:すこと|してみること)|.{0,40}(?:の解決方法|の対処法|を解決する方法|を修正する方法|の直し方)""",
    "contact": r"""
        contact(?:ing)?(?:\ us|(?:\ [\w'’-]+){0,4}\ (?:support|service|team|provider|manufacturer|administrator|admin|desk|isp|carrier|vendor|technician|department|help))(?:\ .{0,40})?|
        contacts?|contact\ (?:support|us|information|details)|still\ (?:stuck|need|having|not\ working|no\ luck|can'?t|experiencing|having).{0,60}|still\ .{0,40}\?|
        (?:need|get|getting|ask\ for|request|where\ to\ get)\ (?:more\ |additional\ |further\ |some\ )?(?:help|support|assistance)\b.{0,40}|
        (?:customer\ |technical\ |tech\ |product\ )?(?:support|help|assistance)|when\ to\ (?:call|contact|seek|get|ask|escalate).{0,60}|escalat(?:e|ion)\b.{0,40}|
        (?:reach|reaching)\ out\ to\ .{0,60}|call\ (?:support|your\ .{0,40}|the\ .{0,40})|report(?:ing)?\ (?:the|an|a)\ (?:issue|bug|problem).{0,30}|
        (?:ask|visit)\ (?:in\ |on\ )?(?:the|our)\ (?:community|forums?|discord).{0,30}|file\ (?:a|an)\ (?:issue|bug|ticket).{0,40}|open\ a\ (?:support\ )?(?:ticket|case|request).{0,40}|
        kontakt(?:\ .{0,50}|ieren\ sie\ .{0,60})?|hilfe(?:\ .{0,40})?|wann\ .{0,40}(?:hilfe|fachmann|profi|support|werkstatt|techniker).{0,40}|immer\ noch\ .{0,40}|(?:den\ )?(?:support|kundendienst|hersteller)\ kontaktieren|weitere\ hilfe.{0,30}|
        (?:contactar|contacta|contacte|contacto|póngase\ en\ contacto|ponte\ en\ contacto)\b.{0,60}|soporte(?:\ .{0,30})?|(?:obtener\ |pedir\ |más\ )?ayuda(?:\ .{0,30})?|cuándo\ (?:llamar|contactar|pedir).{0,50}|(?:aún|todavía)\ .{0,50}|
        (?:اتصل|تواصل|الاتصال)\b.{0,60}|الدعم.{0,40}|ما\ ?زلت\ .{0,40}|هل\ ما\ زلت.{0,40}|طلب\ المساعدة.{0,30}|متى\ .{0,50}|お問い?合わせ.{0,30}|サポート(?:に連絡|へ.{0,20}|窓口.{0,10})?|それでも.{0,30}(?:場合|とき)""",
    "prevention": r"""
        (?:how\ to\ )?prevent(?:ion|ing)?(?:\ (?:this|these|the|it|future|tips|.{0,60}(?:in\ the\ future|again|from\ (?:happening|occurring|recurring|coming\ back)))\b.{0,60})?|.{0,60}\ prevention(?:\ tips)?|
        (?:how\ to\ )?avoid(?:ing)?\ (?:this|these|the|it|future).{0,60}|keep(?:ing)?\ it\ (?:from|working).{0,40}|(?:best\ practices|maintenance)(?:\ .{0,60})?|
        vorbeug\w*(?:\ .{0,60})?|prävention|so\ (?:vermeiden|beugen|verhindern)\ .{0,80}|.{0,60}(?:vermeiden|vorbeugen)|
        prevenci[oó]n(?:\ .{0,40})?|(?:cómo|como)\ (?:evitar|prevenir).{0,80}|buenas\ prácticas.{0,40}|الوقاية.{0,50}|كيفية\ (?:تجنب|منع).{0,60}|نصائح\ لتجنب.{0,50}|予防.{0,20}|再発防止.{0,20}""",
    "closing": r"""
        conclusions?|(?:final|closing|last)\ (?:thoughts?|words|notes?|remarks)|(?:in\ )?summary|wrap(?:ping)?[\ -]up.{0,40}|(?:the\ )?bottom\ line|in\ (?:summary|conclusion)|(?:the\ )?verdict|to\ sum\ up|
        fazit|zusammenfassung|schlusswort|schlussfolgerung|abschließend.{0,40}|conclusi[oó]n(?:es)?|resumen|en\ resumen|الخاتمة|خاتمة|الخلاصة|خلاصة|الاستنتاج|まとめ|結論|終わりに|おわりに|最後に""",
    "question": r"""
        .{0,60}\bfaqs?\b.{0,40}|frequently\ asked.{0,60}|people\ also\ ask|common\ questions.{0,40}|questions(?:\ and\ answers)?|q\s?&\s?a|häufig(?:e|\ gestellte)?\ fragen.{0,40}|fragen\ und\ antworten|preguntas\ frecuentes.{0,40}|الأسئلة\ .{0,40}|أسئلة\ .{0,40}|よくある(?:ご)?質問.{0,20}""",
    "prerequisite": r"""
        pre-?requisites?|(?:system\ )?requirements?|before\ (?:you|we)\ (?:begin|start|proceed|try).{0,60}|before\ (?:starting|getting\ started|anything).{0,30}|(?:what\ )?you(?:'ll|’ll|\ will)?\ need.{0,30}|what(?:'s|\ is)?\ (?:you|needed|required).{0,20}need\w*|preparation|things\ you\ need.{0,20}|
        voraussetzung(?:en)?|vorbereitung(?:en)?|bevor\ (?:du|sie|es)\ .{0,50}|(?:das|was)\ (?:du|sie|brauch).{0,40}brauch\w*|vorab|requisitos(?:\ .{0,30})?|antes\ de\ (?:empezar|comenzar|iniciar).{0,30}|(?:lo\ que|qué)\ necesitas|preparación|
        المتطلبات.{0,30}|قبل\ (?:البدء|أن\ تبدأ|البداية).{0,30}|ما\ تحتاجه?.{0,30}|前提(?:条件)?|準備(?:するもの)?|必要なもの|始める前に|事前.{0,20}""",
    "about": r"""
        (?:more|additional|further|related|other|background|general|technical)\ (?:info(?:rmation)?|details|notes?)|info(?:rmation)?|details|background|overview|(?:an\ )?introduction(?:\ to\ .{0,80})?|intro|about(?:\ (?:this|the)\ .{0,60})?|
        status|installation|usage|features|getting\ started|quick\ ?start|contributing|licen[sc]e|credits|acknowledge?ments?|roadmap|applies\ to|appl(?:ies|icable)\ .{0,60}|affected\ .{0,60}|.{0,40}\ (?:versions?\ )?affected|environment|what\ (?:is|are)\ (?:the\ |a\ |an\ )?(?!wrong|the\ (?:fix|solution)).{0,100}|
        what\ does\ .{0,80}\ mean.{0,30}|understanding\ .{0,80}|how\ (?:it|does\ .{0,60}|.{0,40}\ )works?|disclaimer|change-?\ ?log|revision\ history|glossary|scope|purpose|notes?|expected\ (?:results?|behaviou?r)|actual\ (?:results?|behaviou?r)|
        (?:steps|how)\ to\ reproduce.{0,40}|reproduction(?:\ steps)?|keywords?|(?:publication|update|modified|publication\ or\ update)\ .{0,20}dates?|properties|what\ you(?:'ll|\ will)\ learn.{0,30}|lo\ que\ vas\ a\ aprender|
        betroffene\ .{0,60}|(?:weitere|zusätzliche)\ informationen|hinweise?|einführung|einleitung|überblick|übersicht|was\ (?:ist|sind|bedeutet)\ .{0,80}|hintergrund|schritte\ zur\ reproduktion|erwartetes\ .{0,40}|tatsächliches\ .{0,40}|
        (?:información|informacion)(?:\ adicional)?|más\ información|introducción|resumen\ general|(?:¿)?qué\ (?:es|son|significa)\ .{0,80}|se\ aplica\ a|productos\ afectados.{0,30}|المزيد\ .{0,30}|مقدمة|نظرة\ عامة|معلومات\ .{0,30}|ما\ (?:هو|هي|معنى|المقصود)\ .{0,60}|ينطبق\ .{0,30}|
        詳細(?:情報)?|はじめに|概要|.{0,60}とは.{0,6}|適用対象|補足(?:情報)?|影響を受ける.{0,30}|この記事で.{0,30}""",
    "tips": r"""
        (?:(?:pro|useful|extra|bonus|helpful|quick|other|general|additional)\ ){0,2}(?:tips|hints)(?:\ .{0,60})?|consejos(?:\ .{0,50})?|trucos(?:\ .{0,30})?|tipps(?:\ .{0,50})?|نصائح.{0,50}|ヒント.{0,20}|コツ.{0,20}""",
    "related": r"""
        related(?:\ .{0,60})?|see\ also|further\ reading|(?:also|read)\ (?:read|also|more|next)\b.{0,30}|(?:more|additional|other|useful|helpful|external)\ (?:troubleshooting\ )?(?:resources|articles|links|reading|guides|help\ topics)|
        references?|resources|links|learn\ more|next\ steps?|what(?:'s|\ is)\ next|you\ (?:may|might)\ (?:also\ )?(?:like|be\ interested).{0,40}|recommended(?:\ (?:articles|reading|for\ you|posts))?|similar\ (?:articles|posts|issues)|
        verwandte.{0,40}|weiterführende.{0,40}|siehe\ auch|mehr\ zum\ thema|(?:nützliche\ )?links|quellen|artículos\ relacionados|ver\ también|véase\ también|lecturas?\ .{0,30}|temas\ relacionados|enlaces.{0,30}|referencias|
        مقالات\ .{0,30}|مواضيع\ .{0,30}|اقرأ\ أيضا.{0,20}|انظر\ أيضا.{0,10}|المراجع|روابط\ .{0,20}|関連.{0,20}|参考.{0,20}|参照""",
    "contents": r"""
        (?:table\ of\ )?contents|in\ this\ (?:article|guide|page|topic|section)|on\ this\ page|jump\ to.{0,30}|quick\ (?:links|navigation)|inhalt(?:sverzeichnis|sübersicht)?|(?:auf\ dieser|in\ diesem)\ .{0,20}|contenidos?|índice|tabla\ de\ contenidos?|en\ este\ artículo|المحتويات|جدول\ المحتويات|محتويات.{0,20}|目次|もくじ""",
    "junk": r"""
        (?:\d+\ )?comments?(?:\ \(\d+\))?|leave\ a\ (?:reply|comment).{0,30}|about\ the\ authors?|(?:the\ )?authors?|share(?:\ (?:this|on).{0,40})?|hot\ products|(?:our\ )?newsletter|subscribe.{0,40}|tags?|categories|follow\ us.{0,20}|
        kommentare?|autor(?:en)?|über\ den\ autor|teilen|comentarios?|deja\ un\ comentario.{0,20}|sobre\ el\ autor|compartir|التعليقات|عن\ الكاتب|コメント|この記事を書いた人|シェア|was\ this\ (?:article|page)\ helpful.{0,10}""",
}  # fmt: skip
_ROLE = [
    (role, re.compile(pattern, re.IGNORECASE | re.VERBOSE)) for role, pattern in _ROLES.items()
]
# A numbered heading is a remedy unless it is one of these.
NEVER_FIX = {"symptom", "cause", "closing", "question", "contact", "related", "contents", "junk"}
NOT_A_FIX = NEVER_FIX | {"prevention", "prerequisite", "about", "tips"}


def role(title: str) -> str:
    """What a section with this plain title is for, or nothing."""
    words = title.strip(" .:：!。¿¡-–—*").replace("’", "'")
    if len(words) > 160:
        return ""
    bare = words.rstrip("?？ ")
    for name, pattern in _ROLE:
        if pattern.fullmatch(words) or pattern.fullmatch(bare):
            return name
    return ""


# --- What numbers a remedy ---

_KEYWORDS = {
    "fix": "fix",
    "method": "method|methode|método|metodo|méthode|الطريقة|طريقة|方法",
    "solution": "solution|lösung|lösungsansatz|solución|solucion|الحل|حل|解決策|解決方法|対処法|対処方法|対策|解决方法",
    "option": "option|möglichkeit|variante|opción|opcion|الخيار|خيار|オプション",
    "step": "step|schritt|paso|étape|etape|passo|الخطوة|خطوة|手順|ステップ|步骤",
    "way": "way|weg|forma|manera|trick|approach|ansatz",
    "part": "part|teil|parte|partie|الجزء|パート|chapter|section|phase",
    "tip": "tip|tipp|consejo|نصيحة|ヒント|suggestion|idea",
    "resolution": "resolution|resolución|behebung",
    "workaround": "workaround|abhilfe|回避策|alternative",
    "cause": "cause|reason|ursache|grund|causa|motivo|السبب|سبب|原因",
    "issue": "issue|problem|scenario|case|fall|szenario|problema|caso|escenario|المشكلة|مشكلة|問題|ケース|symptom|error|question",
    "check": "check|test|action|prüfung|remedy|procedure|task|対応",
}
_FAMILY_OF = {word: family for family, words in _KEYWORDS.items() for word in words.split("|")}
_ANY = "|".join(sorted(_FAMILY_OF, key=len, reverse=True))
_NUMBER_WORDS = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eins|zwei|drei|vier|fünf|sechs|uno|dos|tres|cuatro|cinco|seis|siete|ocho|"
    "الأولى|الثانية|الثالثة|الرابعة|الخامسة|السادسة|السابعة|الثامنة|الأول|الثاني|الثالث|الرابع|الخامس|السادس|السابع|الثامن|"
    "iii|ii|iv|vi{0,3}|i"
)
_ORDINALS = (
    "first|second|third|fourth|fifth|sixth|seventh|1st|2nd|3rd|[4-9]th|erste[rs]?|zweite[rs]?|dritte[rs]?|vierte[rs]?|fünfte[rs]?|"
    "primer[oa]?|segund[oa]|tercer[oa]?|cuart[oa]|quint[oa]|première?|deuxième|troisième"
)
_SEPARATOR = r"(?:\s*\\?[:：.)\]\-–—|、・]+\s*|\s+|$)"
_KEYWORD_NUMBER = re.compile(
    rf"^\W{{0,3}}(?P<word>{_ANY})\s*[#№.]?\s*(?P<number>\d{{1,2}}(?:\.\d{{1,2}})?|[①-⑳]|(?:{_NUMBER_WORDS})(?![\w])|[A-Ha-h](?=\s*[:.)–—-]|\s*$))(?:\s(?:of|von|de|/)\s\d{{1,2}})?{_SEPARATOR}",
    re.IGNORECASE,
)
_ORDINAL = re.compile(
    rf"^(?P<number>{_ORDINALS})\s+(?:possible\s+)?(?P<word>{_ANY})\b{_SEPARATOR}", re.IGNORECASE
)
_KEYWORD_ONLY = re.compile(
    r"^(?P<word>fix|solution|lösung|solución|method|workaround|resolution|الحل|対処法|解決策)\s*[:：]\s+(?=\S)",
    re.IGNORECASE,
)
_DOTTED = re.compile(r"^\W{0,2}(?P<number>\d{1,2}(?:\.\d{1,2}){1,3})\.?\s*[)：:.–—-]?\s+(?=\S)")
_COUNTED = re.compile(
    r"^(?:\W{0,2}(?P<number>\d{1,2})\s*\\?(?:[.)：、．）:]|\]|\s[-–—])\s*(?=[^\d\s])|(?P<circled>[①-⑳❶-❿])\s*|#(?P<hash>\d{1,2})[\s:.)–—-]+)"
)


def marker(title: str) -> tuple[str, str]:
    """The family a plain title is numbered in ("" if in none) and the title without it."""
    if found := _KEYWORD_NUMBER.match(title) or _ORDINAL.match(title):
        family = _FAMILY_OF[found["word"].lower()]
        rest = title[found.end() :].strip()
        return family, rest or title
    if found := _KEYWORD_ONLY.match(title):
        return "", title[found.end() :].strip()
    if found := _DOTTED.match(title):
        return "." * found["number"].count(".") + "n", title[found.end() :].strip()
    if found := _COUNTED.match(title):
        return "n", title[found.end() :].strip()
    return "", title


# --- What a sentence does ---

_VERBS = """
    abort access activate add adjust allow apply ask attach back boot bring browse calibrate cancel change charge check choose clean clear click
    close collapse compare complete configure confirm connect contact continue copy create cut decrease delete deselect detach determine
    disable disconnect dismiss double-check double-click double-tap download drag drop edit eject empty enable ensure enter erase
    examine execute exit expand extract factory fill find flip flush follow force forget format free get give go grant hard head hit hold
    hover identify increase kill if import increase inspect install insert isolate keep launch leave let lift locate lock log logout look lower make
    manually modify mount move navigate note obtain open order pair paste pause perform pick ping place play plug point power press
    provide pull purge push put query quit re-enable re-enter re-install reboot recheck reconnect record recreate refresh register
    reinstall relaunch release reload remove rename repair repeat replace reply report request reseat reset resize restart restore
    resume retry return revert review right-click roll rotate rule run save scan schedule scroll search see select send set shake share
    shift show shut sign sign-in slide sort specify start stay stop submit swap swipe switch sync synchronize take tap tell test then
    tick toggle touch track transfer troubleshoot try turn type un-select uncheck undo uninstall unlink unlock unmount unpair unplug
    untick unzip update upgrade upload use validate verify view visit wait wake watch wipe wiggle write please first next finally
    simply now once when after temporarily
"""  # fmt: skip
_SOFT = "if|when|once|after|then|first|next|finally|now|factory|hard|back|please|simply|temporarily|manually|order|free|power|back"
_GERMAN = (
    r"(?:\w+en|tun|gehen|sein)\s+sie\b|\w{3,}(?:e|et|ie|t)\s+(?:die|den|das|dein|deine|deinen|dich|auf|unter|ein|eine|einen|nach|sicher|mit|nun|dann|jetzt|anschließend|ihn)\b|"
    r"(?:öffne|klicke|klick|tippe|tipp|gehe|geh|wähle|drücke|prüfe|überprüfe|starte|stelle|stell|schalte|lade|entferne|installiere|deinstalliere|aktualisiere|warte|halte|ziehe|zieh|stecke|verbinde|trenne|lösche|setze|führe|melde|gib|aktiviere|deaktiviere|versuche|nutze|verwende|kontrolliere|schließe|navigiere|scrolle|reinige|achte|sorge|trage|leere|suche|bestätige|ersetze|tausche)\b|"
    r"(?:\S+\s+){1,9}(?:öffnen|klicken|tippen|wählen|auswählen|drücken|prüfen|überprüfen|starten|neustarten|einschalten|ausschalten|entfernen|installieren|aktualisieren|warten|halten|ziehen|verbinden|trennen|löschen|setzen|zurücksetzen|eingeben|aktivieren|deaktivieren|schließen|anmelden|abmelden|reinigen|ersetzen|speichern|bestätigen|leeren|herunterladen|einstellen|stecken)[.!]?$"
)
_SPANISH = (
    r"(?:abr[ea]|abrir|accede|acceda|acceder|actuali(?:za|ce|zar)|activ(?:a|ar|alo)|desactiv\w{1,3}|agreg\w{1,2}|apag\w{1,4}|asegúr\w+|asegur\w+|borr\w{1,2}|busc\w{1,2}|busque|camb\w{2,3}|cierr\w|cerrar|compr[ue]\w*b\w{1,2}|conect(?:a|e|ar|alo)|desconect(?:a|e|ar|alo)|config[uú]r(?:a|e|ar|alo)|confirm(?:a|e|ar)|copi[ae]r?|"
    r"desinstal[ae]r?|desliz\w+|desenchuf\w+|descarg\w+|ejecut\w+|elimin\w+|elij\w|elig\w+|enciend\w|encender|enchuf\w+|entr[ae]|escrib\w+|espera|espere|esperar|ha[zg]\w*|inici[ae]r?|instal[ae]r?|intent\w+|introdu\w+|ingres\w+|limpi\w+|ll[ae]m\w+|mant[eé]n\w*|mantener|marqu?e|mira|mueva|muev\w|"
    r"olvid\w+|omite|pon|ponga|puls\w+|prueb\w|probar|presion\w+|reinici\w+|reinstal\w+|reemplaz\w+|repit\w|restabl\w+|restaur[ae]r?|revis\w+|seleccion\w+|sigu?\w+|toc[ae]|toque|tocar|us[ae]|utiliz\w+|vaya|ve|ir|verific\w+|vuelv\w|volver|quit\w{1,2}|saque|saca|navegu?e|acerca\w*|contact[ae]r?|desmarc\w+|desmarque)\b"
)
_ARABIC = r"(?:قم|افتح|انقر|اضغط|اختر|حدد|اذهب|انتقل|تأكد|تحقق|أعد|أعِد|اعد|أوقف|شغل|شغّل|قوم|اكتب|أدخل|ادخل|احذف|أزل|إزالة|تحديث|حدث|حدّث|ثبت|ثبّت|انتظر|جرب|جرّب|حاول|استخدم|افصل|صل|وصل|وصّل|قم|ابحث|أغلق|اغلق|مرر|مرّر|فعل|فعّل|عطل|عطّل|راجع|تسجيل|إعادة|تشغيل|إيقاف|اتبع|اسحب|امسح|نظف|نظّف|استبدل|غيّر|غير|ابدأ|تفقد|اتصل|سجل|سجّل|أضف|اضبط|ضع|أطفئ)\b"
_JAPANESE = r".*(?:ます|ください|下さい|する|てみる|ましょう|こと|選択|クリック|タップ|入力|確認|実行|開く|押す|待つ|再起動)[。．.\s」）)]*$"
_IMPERATIVE = re.compile(
    rf"^[\W_]*+(?:(?:{'|'.join(_VERBS.split())})\b|{_SPANISH}|{_ARABIC}|{_GERMAN})", re.IGNORECASE
)
_HARD = re.compile(
    rf"^[\W_]*+(?:(?!(?:{_SOFT})\b)(?:{'|'.join(_VERBS.split())})\b(?!['’]s)|{_SPANISH}|{_ARABIC}|{_GERMAN})",
    re.IGNORECASE,
)
_KANA = re.compile(r"[\u3040-\u30ff]")
_JAPANESE_END = re.compile(_JAPANESE)
PATH = re.compile(
    r"\w[*_\s\]]{0,4}(?:>|›|»|→|->|＞|&gt;)[*_\s\[]{0,4}\w|(?:ctrl|alt|shift|win(?:dows)?(?: logo)?(?: key)?|cmd|command)\s*[*_]*\+",
    re.IGNORECASE,
)
_ADVICE = re.compile(
    r"\b(?:try|make sure|ensure|you (?:should|can|need to|must|may need|could|will need|might want|have to|'?ll (?:need|want))|should|recommend\w*|please|have to|needs? to be|must|"
    r"to (?:fix|resolve|solve|do this|work around|correct|remove|avoid|reset|restart|update|check|disable|enable|install)\b|simply|follow (?:the|these)|restart|reboot|reinstall|update|check|disable|enable|replace|reset|remove|delete|unplug|"
    r"versuch\w*|prüf\w*|stell\w* sicher|sollten?|können sie|kannst du|müssen|musst|bitte|starte?n?|aktualisier\w*|deaktivier\w*|aktivier\w*|"
    r"intent\w+|asegúr\w+|debes?|deber\w+|puedes?|prueba|reinici\w+|actualiz\w+|comprueb\w+|verific\w+|desactiv\w+|tienes que|hay que|basta con)\b|"
    r"(?:حاول|جرب|تأكد|يمكنك|يجب|قم ب|عليك|ينصح|أعد|تحقق)|(?:してください|確認し|試し|ましょう|必要があります|再起動|できます|する必要|お試し)",
    re.IGNORECASE,
)
_FOLLOW = re.compile(
    r"(?:\b(?:try|steps?|follow(?:ing)?|do (?:this|so|the)|here(?:'s|’s| is| are)|how to|to (?:do|fix|resolve|solve|check|update|restart|reset)|solutions?|suggestions|methods?|fix(?:es)?|instructions|tips|actions?|"
    r"schritte?n?|folgende\w*|vorgehen|so geht|versuch\w*|gehen sie|gehe wie|pasos|siguiente\w*|sigue|prueba|haz lo|intenta|instrucciones|étapes)\b|الخطوات|التالي|اتبع|جرب|次の(?:手順|操作|方法)|以下の(?:手順|操作|方法)|お試し)",
    re.IGNORECASE,
)
_NOT_ACTIONS = re.compile(
    r"(?:\b(?:causes?|caused|reasons?|because|symptoms?|devices|models|supported|compatible|include[sd]?|including|such as|for example|errors?|messages?|versions|appl(?:y|ies) to|scenarios?|confused with|"
    r"will:?$|may (?:see|occur|experience|notice)|might (?:see|occur|experience|notice)|you(?:'re|’re| are)? (?:see|experienc|notic|receiv)\w*|occurs?|happens?|information|details|requires?|requirements|following (?:products|platforms|systems|issues|problems|values|conditions|situations|languages|files|ports|reasons|articles?)|"
    r"ursachen?|gründe|grund|weil|geräte|modelle|meldung\w*|fehler|symptome|unterstützt\w*|beispiel\w*|causas?|motivos|síntomas|dispositivos|modelos|mensajes?|porque|errores|ejemplo)\b|أسباب|السبب|الأجهزة|أعراض|原因|症状|対象|対応機種)",
    re.IGNORECASE,
)


_PLACED = re.compile(
    r"^[\W_]*+(?:on|in|under|from|at|to|for|with|using|next to|if|when|once|after|before|while|as)\b"
    rf"[^,.]{{2,160}},\s*(?:please\s+|then\s+|and then\s+|you (?:can|should|need to|must)\s+|try\s+)?(?:{'|'.join(_VERBS.split())})\b",
    re.IGNORECASE,
)


def is_order(text: str) -> bool:
    """Whether a plain text begins as an instruction does."""
    return bool(_IMPERATIVE.match(text) or _PLACED.match(text)) or _is_japanese_order(text)


def is_plain_order(text: str) -> bool:
    """The same, where “if”, “when” and “then” do not count."""
    return bool(_HARD.match(text) or _PLACED.match(text)) or _is_japanese_order(text)


def _is_japanese_order(text: str) -> bool:
    return (
        bool(_KANA.search(text[:200]))
        and len(text) < 400
        and bool(_JAPANESE_END.match(text.replace("\n", " ")))
    )


def advises(text: str) -> bool:
    return bool(_ADVICE.search(text))


def leads_to_steps(sentence: str) -> bool:
    """Whether a sentence above a list says that instructions follow."""
    return bool(_FOLLOW.search(sentence[-160:])) and not lists_other(sentence)


def lists_other(sentence: str) -> bool:
    """Whether a sentence above a list says that causes, devices or the like follow."""
    last = re.split(r"(?<=[.!?。])\s+", sentence.strip())[-1]
    return bool(_NOT_ACTIONS.search(last)) and not re.search(
        r"\b(?:try|steps|follow these|do the following|schritte|pasos|prueba|to (?:fix|resolve|solve))\b|手順|お試し|الخطوات",
        last,
        re.IGNORECASE,
    )


TROUBLE = re.compile(
    r"(?:^no \w+|\b(?:(?:has|have|is|are|gets?|shows?|with) no \w+|troubleshoot\w*|fix(?:e[sd]|ing)?|problems?|issues?|errors?|fail(?:s|ed|ing|ure|ures)?|not (?:work\w*|load\w*|start\w*|connect\w*|respond\w*|receiv\w*|recogni\w*|detect\w*|show\w*|open\w*|print\w*|charg\w*|turn\w*|sync\w*|able|found|available|appear\w*|play\w*|moving|respond\w*|support\w*|function\w*|updat\w*|display\w*|boot\w*)|"
    r"(?:can|won|doesn|isn|don|didn|couldn|wasn|aren|hasn)['’]?t|cannot|unable|crash\w*|stuck|freez\w*|frozen|slow\w*|lag\w*|missing|broken|stop(?:s|ped)? (?:working|responding)|blue screen|bsod|resolv\w+|repair\w*|solv\w+|solutions?|remed\w+|workarounds?|malfunction\w*|blocked|denied|invalid|corrupt\w*|damaged|disconnect\w*|drops?|keeps|hang\w*|wrong|trouble|bug|offline|outage|recover\w*|restore|symptoms?|ambiguous|overheat\w*|dead|"
    r"fehler\w*|probleme?\w*|funktioniert nicht|nicht (?:möglich|gespeichert|geladen|angezeigt|erkannt|verbunden|gefunden)|(?:kann|können|lässt sich|startet|lädt|geht|druckt|reagiert) .{0,60}nicht|behebung|beheben|lösung\w*|störung\w*|abst[uü]rz\w*|defekt\w*|langsam|hängt|ursache\w*|"
    r"error(?:es)?|problemas?|solucion\w*|no (?:se |me |te |le |puede\w* |puedo |responde|funciona|carga|conecta|enciende|abre|arranca|aparece|recibe|hay)\w*|fallos?|falla\w*|arregl\w*|bloque\w*|lent[oa]|resolver|averías?)\b|"
    r"مشكل\w*|خطأ|أخطاء|إصلاح|حل |لا (?:يعمل|يمكن|تعمل|يستجيب|يتصل|يظهر)|بطيء|تعطل|توقف|تعذر|عطل|問題|エラー|できない|できません|ない(?:場合|とき|時)|しない|されない|動かない|繋がらない|つながらない|修正|修復|解決|不具合|トラブル|対処|故障|遅い|失敗|フリーズ|クラッシュ)",
    re.IGNORECASE,
)
LISTICLE = re.compile(
    r"(?:^|\b)(?:(?:top|best)\s+\d+|\d+\s+(?:(?:best|top|great|free|amazing|impressive|beautiful|popular|awesome|must-have|cool|essential)\b.{0,40}){1,3}|(?:the\s+)?(?:best|top)\s+(?:\w+\s+){0,4}(?:apps?|tools?|software|alternatives?|visualizers?|players?|games|websites|converters?|programs|recorders?|laptops|phones|printers|services|plugins)|"
    r"alternatives to|\w+ vs\.? \w+|review:?|reviews|die (?:\d+ )?besten|(?:los|las) (?:\d+ )?mejores|أفضل|おすすめ|ランキング)(?:\b|$)",
    re.IGNORECASE,
)
HOW_TO = re.compile(
    r"^(?:how to|how do i|how can i|guide to|(?:a |the )?(?:beginner|complete|step-by-step|ultimate)\S* guide|getting started|set(?:ting)? up|install(?:ing)?|create|creating|configure|configuring|introduction|tutorial|what is|wie (?:man|du|sie|kann|richte)|so (?:richten|erstellen|installieren)|anleitung|cómo|como|instalar|configurar|guía|كيفية|كيف|دليل|.{0,40}(?:の設定方法|の使い方|をセットアップ|のインストール))\b",
    re.IGNORECASE,
)
PLACEHOLDER = re.compile(
    r"^(?:describe|type|list|enter|insert|provide|add|write|explain|state|put|replace)\b.{0,160}\b(?:here|in this (?:area|section|field)|this (?:issue|problem|article)|the (?:issue|problem|solution|products?|reason|steps|cause|symptoms?))\b|^(?:lorem ipsum|todo|tbd|title here|your text|\[.{1,60}\]|<.{1,60}>)",
    re.IGNORECASE,
)
NOTE_START = re.compile(
    r"^[*_\s]*(note|notes|tip|hint|info|important|warning|caution|attention|hinweis|achtung|wichtig|warnung|tipp|nota|importante|aviso|advertencia|atención|consejo|ملاحظة|ملاحظات|تنبيه|تحذير|هام|مهم|注意|注|メモ|警告|重要|ヒント|remarque|attention)[*_\s]*(?:[:：]|\s[-–—]\s)[*_]*\s*",
    re.IGNORECASE,
)
WARNING_START = re.compile(
    r"^\W*(?:important|warning|caution|attention|achtung|wichtig|warnung|importante|aviso|advertencia|atención|تنبيه|تحذير|هام|مهم|注意|警告|重要)",
    re.IGNORECASE,
)
SUPPORT = re.compile(
    r"(?:\b(?:contact|reach out to|get in touch with|call|e-?mail|write to|ask)\b.{0,80}\b(?:support|us\b|team|provider|isp|carrier|manufacturer|administrator|admin\b|help ?desk|service|technician|vendor|dealer|community|department)|submit a (?:request|ticket)|open a (?:ticket|case)|support@|help@|"
    r"(?:kontaktier\w*|wende\w* (?:sie |dich )?.{0,10}an)\b.{0,80}|(?:contacta\w*|póngase en contacto|ponte en contacto|llama a tu)\b.{0,80})|(?:اتصل ب|تواصل مع|الدعم الفني)|お問い?合わせ|サポートに連絡",
    re.IGNORECASE,
)
OTHER_SYSTEM = re.compile(
    r"^\W*(?:(?:for|on|in|using|if you(?:'re|’re| are| use| have)|für|unter|auf|bei|en|para|على|في)\s.{0,90}|(?:windows|mac(?:os| os)?|os x|linux|android|ios|ipad(?:os)?|iphone|chrome(?:\s?os)?|firefox|safari|edge|ubuntu|opera|samsung|huawei|xiaomi|pc|desktop|mobile|web|browser|laptop|console|xbox|playstation|ps[45]|nintendo)\b.{0,60})$",
    re.IGNORECASE,
)

# --- Heads of tables of causes and solutions ---

CAUSE_HEAD = re.compile(
    r"\b(?:causes?|problems?|issues?|symptoms?|errors?|reason|message|condition|situation|fault|code|if|trouble|ursache|problem|fehler\w*|störung|symptom|causa|problema|síntoma|error|mensaje)\b|المشكلة|السبب|الخطأ|原因|問題|症状|エラー",
    re.IGNORECASE,
)
CURE_HEAD = re.compile(
    r"\b(?:solutions?|fix(?:es)?|resolutions?|remed(?:y|ies)|(?:corrective |recommended |suggested |required )?actions?|what to do|workarounds?|cure|how to (?:fix|resolve).*|try this|steps|then|troubleshooting|lösung(?:en)?|abhilfe|behebung|maßnahmen?|soluci[oó]n(?:es)?|acci[oó]n(?:es)?|remedio)\b|الحل|الإجراء|解決|対処|対策|対応",
    re.IGNORECASE,
)
