/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled filters, kept by what they were made from, so that a start costs no compile.
 *
 * In memory, at most %DN_SECCOMP_CACHE_MAX of them, and in files DIRECTORY/KEY.bpf: a header with
 * magic, length and SHA-256 of what follows, then struct sock_filter[].  A file that is not whole
 * is taken for none.  Files are written under another name and renamed, so a crash leaves none
 * half-written.  The cache is a convenience: when its directory cannot be used, nothing fails.
 *
 * Thread-safe.  Privilege: DIRECTORY is the daemon's own, 0700; whoever may write there is trusted
 * like the daemon, hence the checksum is against damage and not against forgery.
 */
#pragma once

#include <glib.h>

#define DN_SECCOMP_CACHE_MAX 64

/* The filter kept for @key (hexadecimal) or NULL.  (transfer full) */
GBytes *dn_seccomp_cache_get (const char *directory, const char *key);

/* Keeps @filter for @key.  @directory is made when it is not there, its parent is not. */
void dn_seccomp_cache_put (const char *directory, const char *key, GBytes *filter);
