/* SPDX-License-Identifier: Apache-2.0 */
/* Who a process runs as: a user's words looked up in the image's /etc/passwd and /etc/group.
 *
 * The files are the image's: lines over DN_USER_LINE_BYTES and lines that are no entry are passed
 * over, numbers outside the container's range are no answer.  dn_user_resolve() is pure;
 * dn_user_files_read() is for the child, when its root is already the container's.
 *
 * As Docker does it: "name" or "uid" take group and supplementary groups from the files (a uid
 * that is not in them has group 0), ":group" replaces them all; a uid need not be in any file.
 * Source: passwd(5), group(5); docker run --user.
 */
#pragma once

#include "config.h"

#define DN_USER_FILE_BYTES (1024 * 1024)
#define DN_USER_LINE_BYTES 4096
#define DN_USER_HOME_BYTES 1024

typedef struct
{
  char *passwd; /* owned; NULL: no such file */
  size_t passwd_bytes;
  char *group; /* owned */
  size_t group_bytes;
} DnUserFiles;

typedef struct
{
  uint32_t uid;
  uint32_t gid;
  uint32_t groups[DN_CONFIG_GROUPS_MAX];
  size_t group_count;
  char home[DN_USER_HOME_BYTES + 1]; /* absolute; "/" when nothing better is known */
} DnUser;

/* Reads the files of the root this process is in.  A file that is missing, is not regular or is
 * over the limit counts as missing. */
void dn_user_files_read (DnUserFiles *ret_files);
void dn_user_files_clear (DnUserFiles *files);

/**
 * dn_user_resolve:
 * @text: "name", "name:group", "uid" or "uid:gid"
 *
 * Returns: 0, or -EINVAL with @fault naming what is not known
 */
int dn_user_resolve (const char *text, const DnUserFiles *files, DnUser *ret_user, DnFault *fault);

/* The home directory of @user->uid, or "/": for ids that came as numbers. */
void dn_user_find_home (DnUser *user, const DnUserFiles *files);
