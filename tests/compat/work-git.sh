#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A repository, two ways of cloning it, a push back, and a packed one.
set -e
cd /tmp
git config --global user.name Somebody
git config --global user.email somebody@example.org
git config --global init.defaultBranch main
git init -q origin
cd origin
n=0
while [ $n -lt 20 ]; do echo "line $n" >> file; git add file; git commit -q -m "commit $n"; n=$((n + 1)); done
cd ..
git clone -q origin by-path
git clone -q file:///tmp/origin by-transport
cd by-transport
[ "$(git rev-list --count HEAD)" = 20 ]
git checkout -q -b topic
echo more >> file
git commit -q -a -m more
git push -q origin topic
cd ../origin
git merge -q topic
git gc -q
git fsck
[ "$(wc -l < file)" = 21 ]
echo 'done'
