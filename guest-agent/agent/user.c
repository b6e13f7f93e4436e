/* SPDX-License-Identifier: Apache-2.0 */
#include "user.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "autofd.h"

#define FIELDS_MAX 7

/* A line cut at its colons; the text is a copy. */
typedef struct
{
  char text[DN_USER_LINE_BYTES + 1];
  char *fields[FIELDS_MAX];
  size_t count;
} Entry;

static char *
read_file (const char *path, size_t *ret_size)
{
  /* Non-blocking and no terminal: the image may have put anything there. */
  dn_autofd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  struct stat status;
  char *bytes;
  size_t used = 0;
  ssize_t n;

  *ret_size = 0;
  if (fd < 0 || fstat (fd, &status) < 0 || !S_ISREG (status.st_mode) || status.st_size <= 0
      || status.st_size > DN_USER_FILE_BYTES)
    return NULL;
  bytes = malloc ((size_t) status.st_size);
  if (bytes == NULL)
    return NULL;
  while (used < (size_t) status.st_size
         && (n = read (fd, bytes + used, (size_t) status.st_size - used)) > 0)
    used += (size_t) n;
  *ret_size = used;
  return bytes;
}

void
dn_user_files_read (DnUserFiles *ret_files)
{
  ret_files->passwd = read_file ("/etc/passwd", &ret_files->passwd_bytes);
  ret_files->group = read_file ("/etc/group", &ret_files->group_bytes);
}

void
dn_user_files_clear (DnUserFiles *files)
{
  free (files->passwd);
  free (files->group);
  *files = (DnUserFiles){ 0 };
}

/* Takes the next line at *@at.  Returns: false at the end; an over-long line is an empty entry. */
static bool
next_entry (const char *bytes, size_t size, size_t *at, Entry *ret_entry)
{
  const char *start;
  const char *end;
  size_t length;
  char *rest;

  if (bytes == NULL || *at >= size)
    return false;
  start = bytes + *at;
  end = memchr (start, '\n', size - *at);
  length = end != NULL ? (size_t) (end - start) : size - *at;
  *at += length + 1;
  ret_entry->count = 0;
  if (length > DN_USER_LINE_BYTES || memchr (start, '\0', length) != NULL)
    return true;
  memcpy (ret_entry->text, start, length);
  ret_entry->text[length] = '\0';
  rest = ret_entry->text;
  while (rest != NULL && ret_entry->count < FIELDS_MAX)
    ret_entry->fields[ret_entry->count++] = strsep (&rest, ":");
  return true;
}

static bool
read_id (const char *text, uint32_t *ret_id)
{
  uint32_t id = 0;

  if (text[0] == '\0' || strlen (text) > 5 || strspn (text, "0123456789") != strlen (text))
    return false;
  for (; *text != '\0'; text++)
    id = id * 10 + (uint32_t) (*text - '0');
  if (id >= DN_CONFIG_IDS_MAX)
    return false;
  *ret_id = id;
  return true;
}

static void
take_home (DnUser *user, const char *home)
{
  if (home[0] == '/' && strlen (home) <= DN_USER_HOME_BYTES)
    strcpy (user->home, home);
}

/* Looks for the user by @name or, where that is NULL, by user->uid. */
static bool
find_user (const DnUserFiles *files, const char *name, DnUser *user, char *ret_name)
{
  Entry entry;
  size_t at = 0;

  while (next_entry (files->passwd, files->passwd_bytes, &at, &entry))
    {
      uint32_t uid;
      uint32_t gid;

      if (entry.count < 6 || !read_id (entry.fields[2], &uid) || !read_id (entry.fields[3], &gid)
          || (name != NULL ? strcmp (entry.fields[0], name) != 0 : uid != user->uid))
        continue;
      user->uid = uid;
      user->gid = gid;
      take_home (user, entry.fields[5]);
      if (strlen (entry.fields[0]) <= DN_CONFIG_USER_BYTES)
        strcpy (ret_name, entry.fields[0]);
      return true;
    }
  return false;
}

static bool
find_group (const DnUserFiles *files, const char *name, uint32_t *ret_gid)
{
  Entry entry;
  size_t at = 0;

  while (next_entry (files->group, files->group_bytes, &at, &entry))
    if (entry.count >= 3 && strcmp (entry.fields[0], name) == 0
        && read_id (entry.fields[2], ret_gid))
      return true;
  return false;
}

static bool
is_member (char *members, const char *name)
{
  char *member;

  while ((member = strsep (&members, ",")) != NULL)
    if (strcmp (member, name) == 0)
      return true;
  return false;
}

/* Groups beyond the limit are left out: fewer rights, not more.  Nobody's name is empty, though the
 * list of a group without members has one such word. */
static void
find_memberships (const DnUserFiles *files, const char *name, DnUser *user)
{
  Entry entry;
  size_t at = 0;

  if (name[0] == '\0')
    return;
  while (user->group_count < DN_CONFIG_GROUPS_MAX
         && next_entry (files->group, files->group_bytes, &at, &entry))
    {
      uint32_t gid;

      if (entry.count >= 4 && read_id (entry.fields[2], &gid) && is_member (entry.fields[3], name))
        user->groups[user->group_count++] = gid;
    }
}

int
dn_user_resolve (const char *text, const DnUserFiles *files, DnUser *ret_user, DnFault *fault)
{
  DnUser user = { .home = "/" };
  char words[DN_CONFIG_USER_BYTES + 1];
  char name[DN_CONFIG_USER_BYTES + 1] = "";
  char *group = words;
  char *who;
  bool is_number;

  if (strlen (text) > DN_CONFIG_USER_BYTES)
    return dn_fault_set (fault, -EINVAL, "user: longer than %d bytes", DN_CONFIG_USER_BYTES);
  strcpy (words, text);
  who = strsep (&group, ":");
  if (who[0] == '\0' || (group != NULL && group[0] == '\0'))
    return dn_fault_set (fault, -EINVAL, "user '%s': a name or number is missing", text);

  is_number = read_id (who, &user.uid);
  if (!find_user (files, is_number ? NULL : who, &user, name) && !is_number)
    return dn_fault_set (fault, -EINVAL, "user '%s': not in the image's /etc/passwd", who);
  if (group == NULL)
    find_memberships (files, name, &user);
  else if (!read_id (group, &user.gid) && !find_group (files, group, &user.gid))
    return dn_fault_set (fault, -EINVAL, "group '%s': not in the image's /etc/group", group);
  *ret_user = user;
  return 0;
}

void
dn_user_find_home (DnUser *user, const DnUserFiles *files)
{
  DnUser found = { .uid = user->uid, .home = "/" };
  char name[DN_CONFIG_USER_BYTES + 1];

  (void) find_user (files, NULL, &found, name);
  strcpy (user->home, found.home);
}
