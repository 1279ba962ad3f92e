"""Small articles of our own, one for each shape in which real ones come, and what is in them.

Each is (name of the file, its text, its fixes as title and number of steps). A title of "*" may
be anything; a number of None means prose: up to three steps.
"""

Shape = tuple[str, str, list[tuple[str, int | None]]]

SHAPES: dict[str, Shape] = {}


def shape(name: str, file: str, text: str, *fixes: tuple[str, int | None]) -> None:
    SHAPES[name] = (file, text, list(fixes))


shape(
    "keywords and numbers",
    "kettle.md",
    """---
title: My kettle does not heat
---
Your kettle stays cold? Here are three fixes.

## Fix 1: Check the socket

A dead socket is the most common reason.

1. Unplug the kettle.
2. Plug a lamp into the same socket.

If the lamp stays dark, try the next fix.

## Fix 2 – Clean the contacts

Dirt keeps the base from touching the kettle. Wipe the contacts with a dry cloth.

## Fix 3: Reset the thermal fuse

1) Turn the kettle upside down.
2) Press the red button.
3) Wait a minute.

## Conclusion

Most kettles work again after this. If yours does not, contact the manufacturer.
""",
    ("Check the socket", 2),
    ("Clean the contacts", None),
    ("Reset the thermal fuse", 3),
)

shape(
    "methods with options and systems below",
    "scanner.md",
    """# Scanner not found

Try these methods in order.

### Method 1: Reconnect the cable

1. Pull the cable out.
2. Put it back in.

### Method 2: Update the driver

There are two ways to do it.

#### Option 1 – Download it yourself

1. Go to the maker's site.
2. Download the newest driver.

#### Option 2 – Let the system do it

1. Open **Settings** > **Update**.
2. Click **Check**.
3. Restart.

### Method 3: Restart the service

**Windows 11**

1. Press **Win + R**.
2. Type `services.msc`.

**Windows 8**

1. Open the Control Panel.
2. Choose **Services**.
""",
    ("Reconnect the cable", 2),
    ("Update the driver", 5),
    ("Restart the service", 4),
)

shape(
    "escaped numbers, advertisements in lists, pictures above numbers",
    "tablet.md",
    """---
title: "Tablet won't turn on"
---

## Tablet won't turn on

A black screen is no reason to panic.

## 1\\. Charge it for an hour

![charger](https://pictures.example/charger.jpg)
1\\. Use the charger that came with it.

![socket](https://pictures.example/socket.jpg)

2\\. Plug it into the wall.
<!-- affiliate ads begin -->
<a href="https://shop.example/1"><img src="https://shop.example/1.png">Buy the Mega Cleaner 3000</a>
<!-- affiliate ads end -->

![wait](https://pictures.example/wait.jpg)
3\\. Wait an hour.

## 2\\. Force a restart

Close

Hold**Power** and**Volume down** for ten seconds .

<ins class="adsbygoogle" data-ad-client="ca-pub-1"></ins>

## A Tablet Is Only a Computer

Hopefully it is on again.

* [tablets](https://shop.example/x)
* [charging](https://shop.example/x)

<span class="alsoread">Also read:</span>
<div><ul>
<li><a href="https://other.example/a">Ten gifts for grandmothers</a></li>
<li><a href="https://other.example/b">Best phones of the year</a></li>
</ul></div>
""",
    ("Charge it for an hour", 3),
    ("Force a restart", None),
)

shape(
    "symptoms, cause and one resolution",
    "sync.md",
    """# Calendar doesn't sync

## Symptoms

- New entries appear on the phone only.
- You see error 0x12.

## Cause

The account is signed out.

1. It was signed out after a password change.
2. Or the token expired.

## Resolution

> [!NOTE]
> You need your new password.

1. Open **Settings** > **Accounts**.
1. Select the account.

   ```console
   accounts --refresh
   ```

1. Sign in again.

## More information

For more information, see [Accounts](accounts.md).
""",
    ("Resolution", 3),
)

shape(
    "a resolution and a workaround",
    "export.md",
    """# Export fails with "disk full"

## Symptoms

The export stops at 99 percent.

## Resolution

Install update 4.2.

## Workaround

1. Open the export dialog.
2. Choose a smaller range.
""",
    ("Resolution", None),
    ("Workaround", 2),
)

shape(
    "resolutions that are only numbered",
    "mail.md",
    """# Mail is stuck in the outbox

## Symptoms

Nothing is sent.

## Cause

There are several causes.

## Resolution 1

1. Close the program.
2. Open it again.

## Resolution 2

Delete the message and write it anew.
""",
    ("Resolution 1", 2),
    ("Resolution 2", None),
)

shape(
    "bold paragraphs as headings",
    "clock.md",
    """# Clock shows the wrong time

Try one of these.

**Method 1: Set it by hand**

1. Hold **Set**.
2. Turn the wheel.

**Method 2: Change the battery**

Open the back and put in a new battery.

**Method 3**

Ask somebody with a better clock, then set yours.
""",
    ("Set it by hand", 2),
    ("Change the battery", None),
    ("Method 3", None),
)

shape(
    "bold lines without numbers",
    "bike.md",
    """---
title: E-bike motor does not start
---
A motor that stays silent has usually lost its power.

**Charge the battery**

1. Take the battery out.
2. Connect the charger.

**Clean the contacts of the display**

Wipe them with a dry cloth and put the display back.

**Reset the controller**

1. Hold the plus and minus keys.
2. Release them when the light blinks.
3. Start the motor.
""",
    ("Charge the battery", 2),
    ("Clean the contacts of the display", None),
    ("Reset the controller", 3),
)

shape(
    "bold points",
    "radio.md",
    """# Radio has no sound

## Things to check

- **Check the volume**: Turn the knob to the right until it clicks.
- **Replace the batteries:** Open the lid and put in new ones.
- **Move the antenna**. Pull it out and turn it.
""",
    ("Check the volume", None),
    ("Replace the batteries", None),
    ("Move the antenna", None),
)

shape(
    "plain headings",
    "drone.md",
    """---
title: Drone drifts to one side
description: What to do when your drone drifts.
---

A drone that drifts is hard to fly.

## Calibrate the compass

1. Open the app.
2. Tap **Calibrate**.

## Replace a bent propeller

Look at each propeller. Replace the one that is bent.

## Why does this happen?

Wind and crashes bend things.

## Contact support

Write to help@drones.example.
""",
    ("Calibrate the compass", 2),
    ("Replace a bent propeller", None),
)

shape(
    "many issues, the leaf headings",
    "faq.md",
    """# Troubleshooting the ticket machine

## Payment

### Card is not accepted

- Wipe the chip.
- Try another card.

### Coins fall through

Insert the coins slowly, one after the other.

## Printing

### Ticket is blank

1. Open the lid.
2. Turn the roll around.
3. Close the lid.

## Support

Call us on 555-0100.
""",
    ("Card is not accepted", 2),
    ("Coins fall through", None),
    ("Ticket is blank", 3),
)

shape(
    "many issues, each with its resolution",
    "errors.md",
    """# Common errors of the lift

## Error 10: Door open

### Symptom

The lift stays where it is.

### Cause

Something is in the door.

### Solution

1. Remove what is in the door.
2. Press **Close**.

## Error 11: Too heavy

### Symptom

A beep.

### Solution

Let one person leave.
""",
    ("Error 10: Door open", 2),
    ("Error 11: Too heavy", None),
)

shape(
    "many issues, labels in bold",
    "labels.md",
    """# Gate problems

### The gate does not open

**Symptoms:** Nothing moves.

**Solution:**

1. Check the fuse.
2. Press the button again.

### The gate does not close

**Cause:** A leaf blocks the sensor.

**Solution:** Wipe the sensor and try again.
""",
    ("The gate does not open", 2),
    ("The gate does not close", None),
)

shape(
    "headings called Step N",
    "wifi.md",
    """# No internet on the train

### Step 1: Turn the wireless network off and on

Tap the symbol twice.

### Step 2: Forget the network

1. Open **Settings**.
2. Tap **Forget**.

### Step 3: Restart the device

Hold the power key and choose **Restart**.
""",
    ("Turn the wireless network off and on", None),
    ("Forget the network", 2),
    ("Restart the device", None),
)

shape(
    "phases called Step N inside of a method",
    "phases.md",
    """# Upload fails

## Method 1: Use the web page

### Step 1: Prepare the file

1. Rename it.
2. Zip it.

### Step 2: Send it

1. Open the page.
2. Drop the file.

## Method 2: Use the program

Install the program and start it.
""",
    ("Use the web page", 4),
    ("Use the program", None),
)

shape(
    "no headings, sentences above lists",
    "modem.md",
    """---
title: Modem light is red
---
To get the light green again, restart the modem:

1. Pull the plug.
2. Wait 30 seconds.
3. Put the plug back in.

If that doesn't help, reset it:

1. Find the small hole.
2. Press a pin into it.
""",
    ("*", 3),
    ("*", 2),
)

shape(
    "prose only",
    "battery.md",
    """---
title: Battery drains fast
---
When the battery of your phone drains fast, an app may run in the background.

To solve this problem, close all apps and turn on the power saver.
""",
    ("*", None),
)

shape(
    "one procedure",
    "leak.md",
    """# Tap drips

A dripping tap wastes water because its seal is worn.

1. Turn the water off.
2. Unscrew the handle.
3. Replace the seal.
4. Put it together again.
""",
    ("*", 4),
)

shape(
    "a table of causes and solutions",
    "oven.md",
    """# Oven problems

| Problem | Possible cause | Solution |
|---|---|---|
| Oven stays cold | Timer is set | Set the timer to **Manual**. |
| Light is off | Bulb is broken | Replace the bulb. |
| Door squeaks | Hinge is dry | Oil the hinge. |
""",
    ("Oven stays cold", None),
    ("Light is off", None),
    ("Door squeaks", None),
)

shape(
    "a table in HTML with lists in its cells",
    "pump.html",
    """<html><body><h1>Pump troubleshooting</h1><p>Find your problem below.</p>
<table><tr><th>Symptom</th><th>Action</th></tr>
<tr><td>No pressure</td><td><ol><li>Open the valve.<li>Bleed the pump.<li>Start it.</ol></td></tr>
<tr><td>Loud noise</td><td><p>Tighten the screws.</p></td></tr></table></body></html>""",
    ("No pressure", 3),
    ("Loud noise", None),
)

shape(
    "the body is one block of code",
    "old.md",
    "---\ntitle: PRB: Label Maker Stops\n---\n\n"
    + "\n".join(
        "\t" + line
        for line in [
            "The information in this article applies to:",
            "",
            "- Label Maker 2.0",
            "",
            "SYMPTOMS",
            "========",
            "",
            "When you print a label of more than two lines, the program stops and an error message",
            "appears on the screen of your computer.",
            "",
            "CAUSE",
            "=====",
            "",
            "The label was made by one of the following methods.",
            "",
            "Method 1",
            "--------",
            "",
            "1. It was typed.",
            "",
            "2. It was pasted.",
            "",
            "WORKAROUND",
            "==========",
            "",
            "Use one of the following methods to work around the problem.",
            "",
            "Method 1: Print One Line",
            "------------------------",
            "",
            "1. On the File menu, click Setup.",
            "",
            "2. Click to clear the Two Lines check",
            "  box, and then click OK.",
            "",
            "Method 2: Print Sideways",
            "------------------------",
            "",
            "1. On the File menu, click Print.",
            "",
            "2. Click Sideways.",
            "",
            "3. Click OK.",
            "",
            "STATUS",
            "======",
            "",
            "This is a known problem of the product and will be looked at.",
        ]
    ),
    ("Print One Line", 2),
    ("Print Sideways", 3),
)

shape(
    "German, issue with a solution",
    "heizung.md",
    """# Heizung wird nicht warm

## Problem

Der Heizkörper bleibt kalt, obwohl das Ventil offen ist.

## Ursache

Im Heizkörper ist Luft.

## Lösung

Führen Sie die folgenden Schritte aus:

1. Drehen Sie die Pumpe ab.
2. Öffnen Sie das Ventil.
   1. Halten Sie ein Gefäß darunter.
3. Schließen Sie es, sobald Wasser kommt.

## Vorbeugung

Entlüften Sie einmal im Jahr.
""",
    ("Lösung", 3),
)

shape(
    "German, numbered solutions and when to call for help",
    "drucker.md",
    """# Drucker druckt nicht: Was tun?

Wenn der Drucker streikt, hilft oft schon Kleines.

## Lösung 1: Drucker neu starten

- Schalten Sie den Drucker aus.
- Warten Sie eine Minute.
- Schalten Sie ihn wieder ein.

## Lösung 2: Treiber aktualisieren

Öffnen Sie den **Geräte-Manager** und wählen Sie **Treiber aktualisieren**.

## Wann professionelle Hilfe sinnvoll ist

Wenden Sie sich an den Hersteller, wenn nichts hilft.

## Häufige Fragen

Wie lange hält Toner? Etwa ein Jahr.
""",
    ("Drucker neu starten", 3),
    ("Treiber aktualisieren", None),
)

shape(
    "Spanish, steps that are fixes",
    "movil.md",
    """---
title: "El movil no carga"
lang: es
---
## Lo que necesitas

- Un cable nuevo

## Los pasos

### Paso 1: Limpiar el puerto

Usa un palillo y limpia el puerto con cuidado.

### Paso 2: Cambiar el cable

- Desconecta el cable viejo.
- Conecta el cable nuevo.

## Consejos

- No uses el movil mientras carga.
""",
    ("Limpiar el puerto", None),
    ("Cambiar el cable", 2),
)

shape(
    "Arabic, methods",
    "hatif.md",
    """---
title: الهاتف لا يعمل
dir: rtl
---
إذا كان هاتفك لا يعمل فجرب هذه الحلول.

## الطريقة الأولى: أعد تشغيل الهاتف

1. اضغط على زر التشغيل.
2. اختر إعادة التشغيل.

## الطريقة الثانية: اشحن البطارية

1. قم بتوصيل الشاحن.
2. انتظر ساعة.
3. شغل الهاتف.

## ما زلت عالقًا؟

تواصل مع الدعم الفني.
""",
    ("أعد تشغيل الهاتف", 2),
    ("اشحن البطارية", 3),
)

shape(
    "Japanese, ways to deal with it",
    "insatsu.md",
    """# 印刷できない場合の対処法

プリンターで印刷できないときは、次の方法を試してください。

## 原因

ケーブルが抜けていることがあります。

## 対処法1：ケーブルを確認する

１）電源を切ります。
２）ケーブルを差し直します。
３）電源を入れます。

## 対処法2：ドライバーを再インストールする

ドライバーを削除して、もう一度インストールしてください。

## まとめ

以上の方法で解決しない場合はお問い合わせください。
""",
    ("ケーブルを確認する", 3),
    ("ドライバーを再インストールする", None),
)

shape(
    "numbers within numbers",
    "guide.md",
    """# Coffee machine: troubleshooting

## 1. Water problems

### 1.1 No water comes out

1. Fill the tank.
2. Push the tank in.

### 1.2 Water is cold

Let the machine warm up for five minutes, then try again.

## 2. Coffee problems

### 2.1 Coffee is weak

1. Choose a finer grind.
2. Use more coffee.
3. Press **Strong**.
""",
    ("No water comes out", 2),
    ("Water is cold", None),
    ("Coffee is weak", 3),
)

shape(
    "chapters that are numbered, methods inside",
    "chapters.md",
    """# Camera shows error 5

## Part 1: What is error 5?

It means that the lens is stuck.

## Part 2: What causes it?

Sand, mostly.

## Part 3: How to fix error 5

### Way 1. Blow the sand away

1. Turn the camera off.
2. Blow into the gap.

### Way 2. Turn the lens gently

Hold the lens and turn it to the left.
""",
    ("Blow the sand away", 2),
    ("Turn the lens gently", None),
)

shape(
    "a page with much around it",
    "page.html",
    """<!DOCTYPE html><html lang="en"><head><title>Fix a frozen screen | Help Center</title>
<meta name="description" content="What to do when the screen is frozen.">
<script>track()</script></head>
<body><header><a href="/">Help Center</a>
<nav><ul><li><a href="/a">All articles</a></li></ul></nav></header>
<div class="sidebar"><h3>Popular</h3><ul><li><a href="/x">Pay a bill</a></li></ul></div>
<main><div class="breadcrumb"><a href="/">Home</a> &gt; Screens</div>
<h1>Fix a frozen screen</h1><div class="author-box">Written by Ann Author</div>
<div class="share-buttons"><button>Share</button></div>
<h2 id="a">Restart it<a class="headerlink" href="#a">¶</a></h2>
<p>Most screens wake up.</p><ol><li>Hold the <b>power</b> key.</li><li>Wait.</li></ol>
<div class="note"><p>Nothing is lost by this.</p></div>
<h2>Remove the case</h2><p>Take the case off and press the screen gently.</p>
<h2>Still frozen?</h2><p>Contact us by chat.</p>
<div class="comments"><h3>3 comments</h3><p>It worked for me, thanks!</p></div></main>
<aside><h3>On this page</h3><ul><li><a href="#a">Restart it</a></li></ul></aside>
<footer>© 2026 Help Center</footer></body></html>""",
    ("Restart it", 2),
    ("Remove the case", None),
)

shape(
    "numbers between breaks",
    "breaks.html",
    """<div><h2>Speaker is silent</h2><p>Do this:<br>1. Turn it on.<br><img src="a.png"><br>
2. Pair it again.<br>3. Raise the volume.</p></div>""",
    ("*", 3),
)

shape(
    "a bare number that takes the next bold line as its title",
    "bare.md",
    """# Door bell is silent

### Solution 1:

**Change the battery**

1. Open the bell.
2. Put a new battery in.

### Solution 2:

**Turn the volume up**

Turn the wheel on its side.
""",
    ("Change the battery", 2),
    ("Turn the volume up", None),
)

shape(
    "numbers in bold, tags of generators",
    "tags.mdx",
    """---
title: Vacuum cleaner stops
---
import { Aside } from '@site/components';

{{< alert type="warning" >}}
Unplug it first.
{{< /alert >}}

## Empty the bag {#empty}

**1)** Open the lid.

**2)** Take the bag out.

:::note
Bags are paper.
:::

**3)** Put a new bag in.

## Clean the filter {#filter}

!!! tip "Water"
    Use cold water only.

- Take the filter out.
- Rinse it{: .class}.
""",
    ("Empty the bag", 3),
    ("Clean the filter", 2),
)

shape(
    "letters as steps, run together",
    "letters.md",
    """# Lamp flickers

## Solution 1: Tighten the bulb

a) Turn the lamp off. b) Let it cool down. c) Turn the bulb to the right.

## Solution 2: Replace the switch

a) Turn the fuse off.

b) Unscrew the switch.

c) Screw a new one in.

d) Turn the fuse on.
""",
    ("Tighten the bulb", 3),
    ("Replace the switch", 4),
)

shape(
    "escalation that is numbered like a fix",
    "ladder.md",
    """# App crashes at start

## 1. Update the app

Open the store and tap **Update**.

## 2. Clear the cache

1. Open **Settings** > **Apps**.
2. Tap **Clear cache**.

## 3. Contact support

Write to our support team and tell them your version.
""",
    ("Update the app", None),
    ("Clear the cache", 2),
)

shape(
    "a contents list and lists of other things",
    "contents.md",
    """# Keyboard types wrong letters

- [Fix 1: Change the layout](#one)
- [Fix 2: Clean the keys](#two)

## Fix 1: Change the layout

You may notice one of these signs:

- Letters Y and Z are swapped.
- Symbols are elsewhere.

To change the layout:

1. Click the language.
2. Pick yours.

## Fix 2: Clean the keys

The following keyboards can be opened:

- Typer 1
- Typer 2

Shake the keyboard upside down.
""",
    ("Change the layout", 2),
    ("Clean the keys", None),
)

NOT_TROUBLE = {
    "a list of products": """# 7 Best Photo Apps for Tourists

## 1. PhotoJoy

PhotoJoy is a colourful app with many filters. It is loved by millions.

## 2. SnapFine

SnapFine offers frames and stickers. Its design is lovely.

## 3. PixNote

PixNote comes with notes. It costs little.
""",
    "how to begin": """# How to create a photo book

## Choose a size

1. Open the app.
2. Pick a size.

## Add pictures

1. Tap **Add**.
2. Choose pictures.
""",
    "an empty body": """---
title: Solving the printer problem
---
[Home](/) | [About](/about) | [Contact](/contact)

Copyright © 2026 Example. All rights reserved.
""",
    "a template": """# Title

## Issue

Describe the issue here.

## Solution

Describe the solution to the issue here.

## Products

List the products here.
""",
}

shape(
    "points only",
    "lights.md",
    """# Traffic light app shows no data

If the app shows no data, try the following:

- Close the app and open it again.
- Check that location is on.
- Update the app.
""",
    ("*", 3),
)

shape(
    "one section about trouble in a page about other things",
    "readme.md",
    """# Bell firmware

## Installation

1. Download the file.
2. Copy it to the bell.

## Usage

Press the button.

## Troubleshooting

### Bell does not ring

1. Check the cable.
2. Restart the bell.

### Bell rings all night

Turn off the timer in the settings.

## License

Free.
""",
    ("Bell does not ring", 2),
    ("Bell rings all night", None),
)

shape(
    "issues with problem and solution in one paragraph",
    "lines.html",
    """<html><body><h1>Common problems</h1>
<h3>Blank page</h3><p><b>Problem:</b> The page stays white.</p>
<p><b>Solution:</b> Reload the page.</p>
<h3>Slow page</h3><p><b>Problem:</b> The page takes long.</p><p><b>Solution:</b></p>
<ol><li>Close other pages.</li><li>Reload the page.</li></ol></body></html>""",
    ("Blank page", None),
    ("Slow page", 2),
)

shape(
    "a list written by a word processor",
    "word.html",
    """<html><body><h1>Phone has no signal</h1><h2>Method 1: Restart the radio</h2>
<p class="MsoListParagraph">1.&nbsp;&nbsp; Open <b>Settings</b>.</p>
<p class="MsoListParagraph">2.&nbsp;&nbsp; Turn on flight mode.</p>
<p class="MsoListParagraph">3.&nbsp;&nbsp; Turn it off again.</p>
<h2>Method 2: Replace the card</h2>
<p class="MsoListParagraph">·&nbsp; Take the card out.</p>
<p class="MsoListParagraph">·&nbsp; Put a new card in.</p></body></html>""",
    ("Restart the radio", 3),
    ("Replace the card", 2),
)

shape(
    "drawers that open",
    "drawers.html",
    """<html><body><main><h1>Heater does not start</h1>
<details><summary>Check the thermostat</summary><p>Turn it to 22 degrees.</p></details>
<details><summary>Bleed the heater</summary>
<ol><li>Open the valve.</li><li>Close it.</li></ol></details>
</main></body></html>""",
    ("Check the thermostat", None),
    ("Bleed the heater", 2),
)

shape(
    "many ways in numbered headings, with what is around them",
    "ways.md",
    """---
title: "6 Ways to Fix a Silent Speaker"
---

# 3 Ways to Fix a Silent Speaker

Quick links to the ways:

## Why is my speaker silent?

Dust, mostly.

## 1. Raise the volume

Press the plus key. Check that it isn't muted.

## 2. Pair it again

1. Open **Bluetooth**.
2. Tap **Forget**.
3. Pair it.

## 3. Reset it

- Hold the power key.
- Wait for the beep.

## How to prevent this in the future

Keep it dry.

## FAQ

### Can water harm it?

Yes. Dry it at once.

## Final thoughts

Enjoy the music.
""",
    ("Raise the volume", None),
    ("Pair it again", 3),
    ("Reset it", 2),
)

shape(
    "headings of the first rank for all",
    "ranks.md",
    """---
title: Report cannot be saved
---
# Symptoms

An error appears.

# Cause

The folder is full.

# Resolution

1. Open the folder.
2. Delete old reports.
""",
    ("Resolution", 2),
)

shape(
    "front matter in TOML",
    "toml.md",
    """+++
title = "Fan is loud"
date = 2026-01-01
+++

## Clean the fan

1. Unplug the machine.
2. Blow the dust out.

## Oil the fan

Put a drop of oil on the axle.
""",
    ("Clean the fan", 2),
    ("Oil the fan", None),
)

shape(
    "front matter in a comment",
    "comment.md",
    """<!--
title: Pen does not write
tags: pens
-->
# Pen does not write

Solution:

1. Take the cap off.
2. Shake the pen.
""",
    ("*", 2),
)

shape(
    "solutions below a heading for all of them, and a cause each",
    "causes.md",
    """# Login loop

## Cause 1: Cookies are blocked

The page cannot remember you.

### Resolution

1. Open the settings of the browser.
2. Allow cookies.

## Cause 2: The clock is wrong

A wrong clock breaks the token.

### Resolution

Set the clock.
""",
    ("Cause 1: Cookies are blocked", 2),
    ("Cause 2: The clock is wrong", None),
)

shape(
    "numbers in gaps and twice",
    "gaps.md",
    """# Watch does not sync

## Solution 1: Pair the watch again

1) Open the app.

![app](https://pictures.example/app.png)

2) Tap **Unpair**.
![unpair](https://pictures.example/unpair.png)

3) 3) Tap **Pair**.

5) Wait.

## Solution 2: Restart both

1. Restart the watch.

Wait until it buzzes.

2. Restart the phone.
""",
    ("Pair the watch again", 4),
    ("Restart both", 2),
)

shape(
    "the same in Spanish with a problem and its cause",
    "impresora.md",
    """# La impresora no imprime

## Síntomas

No sale nada.

## Causa

No hay papel.

## Solución

1. Abre la bandeja.
2. Pon papel.
3. Cierra la bandeja.

## Más información

Consulta el manual.
""",
    ("Solución", 3),
)

shape(
    "solutions in one paragraph each",
    "leads.html",
    """<h2>Login problems</h2><p><strong>Solution 1</strong> Clear the cookies.</p>
<p><strong>Solution 2: Change the browser.</strong> Use another browser and try again.</p>""",
    ("Solution 1", None),
    ("Change the browser.", None),
)

shape(
    "known issues of a program",
    "issues.md",
    """# Known issues

## Build fails on old systems

Install the build tools:

```
get build-tools
```

## Port already in use

Kill the process that uses the port.

## Contributing

Open a request.
""",
    ("Build fails on old systems", None),
    ("Port already in use", None),
)
