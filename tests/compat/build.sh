#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# build.sh PROGRAM OUT.tar: an image of a Debian package as somebody would make it who knows nothing
# of Danchi: the program, its libraries, a user of its own where it has one, busybox as a shell.
#
#   memcached haproxy python3 git nodejs openjdk postgresql mariadb browser
#
# nginx and redis are those of tests/images/build.sh.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
images=$here/../images
what=$1
out=$(realpath -m "$2")
mkdir -p "$(dirname "$out")"
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
root=$stage/root

# add_user NAME ID: the program's user and group.
add_user()
{
  echo "$1:x:$2:$2:$1:/nonexistent:/usr/sbin/nologin" >> "$root/etc/passwd"
  echo "$1:x:$2:" >> "$root/etc/group"
}

# Half of an image may be what no program here opens.
slim()
{
  rm -rf "$root"/usr/share/{fonts,icons,bash-completion,perl,perl5,postgresql-common,zsh} \
    "$root"/usr/lib/locale "$root"/usr/lib/x86_64-linux-gnu/{gconv,perl,perl-base} \
    "$root"/usr/lib/{systemd,udev} "$root"/etc/{ssl/private,systemd}
}

pack() {
  slim
  "$images/make-image.py" "$root" "$out" docker --label org.danchi.test="compat-$what" \
    --name "docker.io/danchi/$what:compat" "$@"
}

build_memcached() {
  "$images/rootfs.sh" "$root" memcached busybox-static
  add_user memcache 103
  pack --user memcache --cmd memcached --cmd=-l --cmd 127.0.0.1
}

build_haproxy() {
  "$images/rootfs.sh" "$root" haproxy busybox-static
  add_user haproxy 104
  mkdir -p "$root/srv/www"
  echo 'Hello from behind haproxy.' > "$root/srv/www/index.html"
  cat > "$root/etc/haproxy/haproxy.cfg" << 'END'
global
  log stdout format raw local0
  maxconn 100
defaults
  mode http
  timeout connect 5s
  timeout client 20s
  timeout server 20s
frontend web
  bind 127.0.0.1:80
  default_backend pages
backend pages
  server one 127.0.0.1:8081
END
  pack --user haproxy --cmd haproxy --cmd=-db --cmd=-f --cmd /etc/haproxy/haproxy.cfg
}

build_python3() {
  "$images/rootfs.sh" "$root" python3 busybox-static
  add_user app 1000
  ln -sf python3.11 "$root/usr/bin/python3"
  install -D "$here/work.py" "$root/srv/work.py"
  pack --user app --cmd python3 --cmd /srv/work.py
}

build_git() {
  "$images/rootfs.sh" "$root" git busybox-static
  add_user app 1000
  ln -sf busybox "$root/usr/bin/sh"
  install -D "$here/work-git.sh" "$root/srv/work-git.sh"
  pack --user app --env HOME=/tmp --cmd sh --cmd /srv/work-git.sh
}

build_nodejs() {
  "$images/rootfs.sh" "$root" nodejs busybox-static
  add_user app 1000
  rm -rf "$root"/usr/share/nodejs/{npm,@npmcli,node-gyp}
  install -D "$here/work.js" "$root/srv/work.js"
  pack --user app --cmd node --cmd /srv/work.js
}

# Debian's runtime has the compiler's module too, so that it can run a source file.
build_openjdk() {
  "$images/rootfs.sh" "$root" openjdk-17-jre-headless busybox-static
  add_user app 1000
  install -D "$here/Work.java" "$root/srv/Work.java"
  pack --user app --env JAVA_HOME=/usr/lib/jvm/java-17-openjdk-amd64 \
    --cmd /usr/lib/jvm/java-17-openjdk-amd64/bin/java --cmd /srv/Work.java
}

# Without the compiler for queries, which is most of the image and off for small ones.
build_postgresql() {
  KEEP=libpam0g "$images/rootfs.sh" "$root" postgresql-15 busybox-static
  add_user postgres 105
  ln -sf busybox "$root/usr/bin/sh"
  rm -rf "$root"/usr/lib/postgresql/15/lib/{bitcode,llvmjit*} \
    "$root"/usr/lib/x86_64-linux-gnu/lib{LLVM,z3,clang}*
  install -D "$here/work-postgresql.sh" "$root/srv/work-postgresql.sh"
  mkdir -p "$root/var/lib/postgresql/data" "$root/var/run/postgresql"
  pack --user postgres --own /var/lib/postgresql=105:105 \
    --env PATH=/usr/lib/postgresql/15/bin:/usr/bin --cmd sh --cmd /srv/work-postgresql.sh
}

build_mariadb() {
  "$images/rootfs.sh" "$root" mariadb-server busybox-static
  add_user mysql 106
  ln -sf busybox "$root/usr/bin/sh"
  for tool in "$root"/usr/bin/{aria_*,my*,perror,replace,resolve*,mariadb-*}; do
    [[ $tool = */mariadb-admin ]] || rm -f "$tool"
  done
  install -D "$here/work-mariadb.sh" "$root/srv/work-mariadb.sh"
  mkdir -p "$root/var/lib/mysql"
  pack --user mysql --own /var/lib/mysql=106:106 --cmd sh --cmd /srv/work-mariadb.sh
}

# A browser on a screen of its own, by VNC: what drives real displays, other fonts and ICU stay out.
build_browser() {
  local others='libllvm.*|libz3-.*|libgl1-mesa-dri|libicu.*|libxml2|libdrm-.+|libsensors.*|wget'
  KEEP=libpam0g LEAVE_OUT="$others|fonts-(urw|free|cro|lib).*|ttf-.*|xfonts-.*" "$images/rootfs.sh" "$root" \
    tigervnc-standalone-server dillo fonts-dejavu-core busybox-static
  add_user app 1000
  ln -sf busybox "$root/usr/bin/sh" # xkbcomp is started by one
  install -D "$here/browser.sh" "$root/srv/browser.sh"
  install -D "$here/browser.html" "$root/srv/www/index.html"
  mv "$root/usr/share/fonts/truetype/dejavu" "$stage/fonts"
  slim
  install -D -t "$root/usr/share/fonts/truetype/dejavu" "$stage/fonts"/DejaVuSans*.ttf
  "$images/make-image.py" "$root" "$out" docker --label org.danchi.test=compat-browser \
    --name docker.io/danchi/browser:compat --user app --expose 5900/tcp --env HOME=/tmp --cmd sh --cmd /srv/browser.sh
}

case $what in
  nginx | redis) exec "$images/build.sh" "$what" "$out" docker ;;
  memcached | haproxy | python3 | git | nodejs | openjdk | postgresql | mariadb | browser) "build_$what" ;;
  *) echo "build.sh: unknown program '$what'" >&2; exit 2 ;;
esac
