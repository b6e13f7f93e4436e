#!/usr/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
# browser.sh [PAGE]: a screen that VNC serves on port 5900, and a browser that fills it.  The container ends with
# the browser.  It asks for no password: the port is published on the loopback, and the machine is its user's.
export DISPLAY=:0
Xtigervnc :0 -rfbport 5900 -SecurityTypes None -AlwaysShared -geometry 640x480 -depth 24 -extension GLX \
  -fp built-ins &
for _ in $(busybox seq 150); do
  [ -e /tmp/.X11-unix/X0 ] && break
  busybox sleep 0.2
done
exec dillo -f -g 640x480 "${1:-/srv/www/index.html}"
