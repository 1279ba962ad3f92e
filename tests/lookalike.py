"""An article of our own, built like those that come from blogs: numbers, galleries, advertisements.

Eight fixes with 3, 6, 2, 1, 4, 3, 2 and 4 steps.
"""

STEPS = [3, 6, 2, 1, 4, 3, 2, 4]

ARTICLE = """---
title: "Never Lose a Shot: Camera and Cloud Album, and What to Do When They Quarrel"
date: 2025-03-01T10:00:00.000Z
tags:
  - camera
---

## Never Lose a Shot: Camera and Cloud Album, and What to Do When They Quarrel

 A camera that sends its photos to the cloud album saves you the cable.

 Mostly a setting is wrong. Try these when the camera does not upload to the album:

## 1\\. Let the Album Accept the Camera

![devices-in-album-1](https://pictures.example/devices-1.jpg)

![camera-switch](https://pictures.example/switch.jpg)

Close

 The album takes photos from cameras it knows. To see whether it knows yours:

1. Open the **Album** on your phone and tap your **portrait**.
2. Under **Devices**, choose **Show All**.
3. Turn **on** the switch beside your camera. If it is on, turn it off and on again.

<!-- affiliate ads begin -->
<a href="https://shop.example/c/1"><img src="//shop.example/ad.gif" width="300" height="250"/></a>
<!-- affiliate ads end -->
## 2\\. See Whether There Is Room

 The album needs room for every photo that waits. Compare what waits with what is free.

![queue-on-camera](https://pictures.example/queue.jpg)

Close

1. On the camera, go to **Menu > Transfer**.
2. Select **Queue**.
3. The size of the queue stands below the last photo.

 To see what is free:

1. Open **Storage** in the album.
2. The free room stands at the top.
3. If the queue is bigger, tap **Manage** and remove what you do not need. You can also [book more room](https://album.example/more).

## 3\\. Send the Photos by Hand

 One transfer by hand often wakes the rest.

1. On the camera, go to **Menu > Transfer**.
2. Press **Send now** and wait for the green light.

 Keep the camera near the phone meanwhile.

## 4\\. Ask Whether the Album Is Down

 No setting helps while the album itself is down.

1. Visit the [status page](https://album.example/status) and look for a green dot.

## 5\\. Restart the Camera

 A restart clears a transfer that hangs.

1. Switch the camera off.
2. Take the battery out for ten seconds.
3. Put it back in.
4. Switch the camera on.

<!-- affiliate ads begin -->
<a href="https://shop.example/c/2">Super Photo Rescue Deluxe, today only</a>
<!-- affiliate ads end -->
## 6\\. Update the Camera and the App

 Old software and a new album do not understand each other.

1. Charge the camera to at least half.
2. In the app, go to **Camera > Update**.
3. Tap **Install** and leave the camera on.

## 7\\. Leave Videos Out

 Videos fill the queue. Photos are through sooner without them.

1. On the camera, go to **Menu > Transfer > What to send**.
2. Turn **Videos** off.

## 8\\. Remove the Old Pairing

 A pairing that is damaged can be made anew.

1. On the phone, go to **Settings > Bluetooth**.
2. Tap the **i** beside the camera.
3. Choose **Forget** and confirm.
4. Pair the camera again.

## A Calm Photographer Is a Good One

 If nothing of this helps, contact [Album Support](https://album.example/help) for more.

<ins class="adsbygoogle" data-ad-slot="1"></ins>
"""
