/* SPDX-License-Identifier: Apache-2.0 */
#include "verity-words.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Where words of the target's parameters stand. */
#define WORD_DATA_DEVICE 1
#define WORD_ALGORITHM 7
#define WORD_ROOT 8
/* Sectors, as a number of 64 bits, never have more digits. */
#define DIGITS_MAX 15

/* Takes what comes before @end from the front of @text.  NULL where @end is not in it or the piece
 * is too long. */
static const char *
take (const char *text, char end, char *ret_piece, size_t size)
{
  const char *stop = text != NULL ? strchr (text, end) : NULL;
  size_t length = stop != NULL ? (size_t) (stop - text) : 0;

  if (stop == NULL || length >= size)
    return NULL;
  memcpy (ret_piece, text, length);
  ret_piece[length] = '\0';
  return stop + 1;
}

static bool
read_number (const char *text, uint64_t *ret_number)
{
  size_t length = strlen (text);
  uint64_t number = 0;

  if (length == 0 || length > DIGITS_MAX || strspn (text, "0123456789") != length
      || (text[0] == '0' && length > 1))
    return false;
  for (size_t i = 0; i < length; i++)
    number = number * 10 + (uint64_t) (text[i] - '0');
  *ret_number = number;
  return true;
}

/* A device's name becomes that of a file; words and commas would end it. */
static bool
is_plain (const char *name)
{
  for (const char *c = name; *c != '\0'; c++)
    if (!isalnum ((unsigned char) *c) && *c != '-' && *c != '_')
      return false;
  return name[0] != '\0';
}

static int
parse_device (const char *text, DnMapperTable *ret_table)
{
  DnMapperTable table = { 0 };
  char uuid[1], flags[3], number[DIGITS_MAX + 1];
  uint64_t minor, start;
  const char *rest = take (text, ',', table.name, sizeof table.name);

  /* The uuid's room is that of an empty one. */
  rest = take (rest, ',', uuid, sizeof uuid);
  rest = take (rest, ',', number, sizeof number);
  if (rest == NULL || !is_plain (table.name) || !read_number (number, &minor) || minor > 0xfffff)
    return -EINVAL;
  rest = take (rest, ',', flags, sizeof flags);
  if (rest == NULL || strcmp (flags, "ro") != 0)
    return -EINVAL;
  rest = take (rest, ' ', number, sizeof number);
  if (rest == NULL || !read_number (number, &start) || start != 0)
    return -EINVAL;
  rest = take (rest, ' ', number, sizeof number);
  if (rest == NULL || !read_number (number, &table.sectors) || table.sectors == 0)
    return -EINVAL;
  rest = take (rest, ' ', table.target, sizeof table.target);
  if (rest == NULL || strcmp (table.target, DN_VERITY_TARGET) != 0)
    return -EINVAL;
  /* Nothing after the quote: neither a further table nor a further device. */
  rest = take (rest, '"', table.parameters, sizeof table.parameters);
  if (rest == NULL || (*rest != '\0' && *rest != ' ' && *rest != '\n')
      || strpbrk (table.parameters, ",;") != NULL || table.parameters[0] == '\0')
    return -EINVAL;
  table.minor = (uint32_t) minor;
  *ret_table = table;
  return 0;
}

int
dn_verity_parse_cmdline (const char *cmdline, DnMapperTable *ret_table)
{
  const char *found = NULL;
  bool is_quoted = false;
  bool is_start = true;

  for (const char *c = cmdline; *c != '\0'; c++)
    {
      if (is_start && !is_quoted && strncmp (c, DN_VERITY_OPTION, strlen (DN_VERITY_OPTION)) == 0)
        {
          if (found != NULL)
            return -EINVAL;
          found = c + strlen (DN_VERITY_OPTION);
        }
      is_start = *c == ' ';
      if (*c == '"')
        is_quoted = !is_quoted;
    }
  if (found == NULL)
    return -ENOENT;
  if (*found != '"')
    return -EINVAL;
  return parse_device (found + 1, ret_table);
}

/* The words, separated by single blanks, counted from 0. */
static int
copy_word (const char *text, unsigned int number, char *ret_word, size_t size)
{
  size_t length;

  for (; number > 0; number--)
    {
      text = strchr (text, ' ');
      if (text == NULL)
        return -EINVAL;
      text++;
    }
  length = strcspn (text, " ");
  if (length == 0 || length >= size)
    return -EINVAL;
  memcpy (ret_word, text, length);
  ret_word[length] = '\0';
  return 0;
}

int
dn_verity_find_device (const char *parameters, char *ret_device, size_t size)
{
  return copy_word (parameters, WORD_DATA_DEVICE, ret_device, size);
}

int
dn_verity_find_root (const char *parameters, char *ret_root, size_t size)
{
  char algorithm[DN_VERITY_ROOT_BYTES + 1], root[DN_VERITY_ROOT_BYTES + 1];
  size_t length;

  if (copy_word (parameters, WORD_ALGORITHM, algorithm, sizeof algorithm) < 0
      || copy_word (parameters, WORD_ROOT, root, sizeof root) < 0)
    return -EINVAL;
  length = strlen (algorithm);
  if (strspn (root, "0123456789abcdef") != strlen (root) || length + 1 + strlen (root) >= size)
    return -EINVAL;
  memcpy (ret_root, algorithm, length);
  ret_root[length] = ' ';
  memcpy (ret_root + length + 1, root, strlen (root) + 1);
  return 0;
}
