#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# build.sh nginx|redis|busybox|openscap OUT.tar docker|oci: makes a real image out of Debian's packages.
#
#   nginx    serves a page on port 8080 as user 101 (www); busybox is in it as a client (wget)
#   redis    redis-server on 127.0.0.1:6379 as user 102 (redis), with redis-cli; no shell
#   openscap a scanner for [scan] of danchi.conf: OpenSCAP, and config/scan/oscap-verdict.c
#   busybox  the small test image: static busybox, users, /bin/sh; a few MB, no download but its own
set -euo pipefail
here=$(dirname "$(realpath "$0")")
what=$1
out=$(realpath -m "$2")
format=$3
mkdir -p "$(dirname "$out")"
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
root=$stage/root

pack() {
  "$here/make-image.py" "$root" "$out" "$format" --label org.danchi.test="$what" "$@"
}

build_nginx() {
  "$here/rootfs.sh" "$root" nginx-light busybox-static
  echo 'www:x:101:101:www:/nonexistent:/usr/sbin/nologin' >> "$root/etc/passwd"
  echo 'www:x:101:' >> "$root/etc/group"
  rm -rf "$root"/etc/nginx/{sites-*,conf.d,modules-*,snippets}
  mkdir -p "$root/srv/www"
  echo '<!doctype html><title>Danchi</title><p>Hello from a guest of its own.' \
    > "$root/srv/www/index.html"
  # Everything that is written goes to /tmp and /run, which are memory of the container's.
  cat > "$root/etc/nginx/nginx.conf" << 'END'
worker_processes 1;
daemon off;
pid /tmp/nginx.pid;
error_log stderr warn;
events { worker_connections 256; }
http {
  include /etc/nginx/mime.types;
  access_log /dev/stdout;
  client_body_temp_path /tmp/body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;
  server {
    listen 8080;
    root /srv/www;
  }
}
END
  pack --name docker.io/danchi/nginx:demo --user www --expose 8080/tcp --stop-signal SIGQUIT \
    --cmd /usr/sbin/nginx
}

build_redis() {
  "$here/rootfs.sh" "$root" redis-server redis-tools
  rm -f "$root"/usr/bin/{sh,bash,dash,busybox}
  echo 'redis:x:102:102:redis:/data:/usr/sbin/nologin' >> "$root/etc/passwd"
  echo 'redis:x:102:' >> "$root/etc/group"
  mkdir -p "$root/data"
  pack --name docker.io/danchi/redis:demo --user redis --workdir /tmp --expose 6379/tcp \
    --own /data=102:102 --cmd=/usr/bin/redis-server --cmd=--bind --cmd=127.0.0.1 \
    --cmd=--save --cmd= --cmd=--appendonly --cmd=no --cmd=--dir --cmd=/tmp
}

build_openscap() {
  "$here/rootfs.sh" "$root" openscap-scanner
  # Documents are the operator's, so the schemas to check them by are not needed; nor are character
  # sets and locales other than those within libc.
  rm -rf "$root"/usr/share/openscap/{schemas,xsl} "$root"/usr/lib/x86_64-linux-gnu/{gconv,perl*,libperl*} \
    "$root"/usr/share/{perl*,doc-base,bash-completion,zsh,fish}
  mkdir -p "$root/usr/share/danchi-scan" "$root/usr/share/dpkg"
  cp "$here/../../config/scan/oscap-directives.xml" "$root/usr/share/danchi-scan/"
  cp /usr/share/dpkg/{cputable,tupletable} "$root/usr/share/dpkg/"
  # shellcheck disable=SC2046  # words
  gcc -O2 -D_GNU_SOURCE -Wall $(xml2-config --cflags) -o "$root/usr/bin/oscap-verdict" \
    "$here/../../config/scan/oscap-verdict.c" -lxml2
  echo 'scan:x:100:100:scan:/tmp:/usr/sbin/nologin' >> "$root/etc/passwd"
  echo 'scan:x:100:' >> "$root/etc/group"
  pack --name localhost/openscap:1 --user scan --entrypoint /usr/bin/oscap-verdict
}

build_busybox() {
  mkdir -p "$root"/{bin,sbin,etc,proc,sys,dev,run,tmp,root,home/app,home/other,srv,data} \
    "$root"/{var/tmp,var/log,usr/bin,usr/sbin}
  chmod 1777 "$root/tmp" "$root/var/tmp"
  chmod 0700 "$root/root" "$root/home/app" "$root/home/other"
  install -m 0755 "$(command -v busybox)" "$root/bin/busybox"
  "$root/bin/busybox" --list | while read -r applet; do
    [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
  done
  gcc -O2 -Wall -static -s -o "$root/bin/udp-echo" "$here/udp-echo.c"
  gcc -O2 -Wall -static -s -o "$root/bin/net-server" "$here/net-server.c"
  gcc -O2 -Wall -static -s -o "$root/bin/net-client" "$here/net-client.c"
  cat > "$root/etc/passwd" << 'END'
root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/:/bin/false
app:x:1000:1000:app:/home/app:/bin/sh
other:x:1001:1001:other:/home/other:/bin/sh
nobody:x:65534:65534:nobody:/:/bin/false
END
  cat > "$root/etc/group" << 'END'
root:x:0:
daemon:x:1:
tty:x:5:
app:x:1000:
other:x:1001:
extra:x:2000:app
nogroup:x:65534:
END
  : > "$root/etc/hostname"
  : > "$root/etc/hosts"
  : > "$root/etc/resolv.conf"
  echo 'Danchi test image' > "$root/etc/motd"
  ln "$root/etc/motd" "$root/srv/hard-link"
  ln -s ../etc/motd "$root/srv/link"
  # What the unpacker must take away.
  install -m 6755 "$root/bin/busybox" "$root/bin/was-setuid"
  pack --name docker.io/danchi/busybox:test --user app --workdir / --cmd /bin/sh \
    --own /home/app=1000:1000 --own /home/other=1001:1001 --own /data=1000:1000
}

case $what in
  nginx | redis | busybox | openscap) "build_$what" ;;
  *) echo "build.sh: unknown image '$what'" >&2; exit 2 ;;
esac
