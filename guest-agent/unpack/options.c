/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>

static bool
read_number (const char *name, const char *text, uint64_t *ret_number, DnFailure *failure)
{
  char *end;

  errno = 0;
  /* strtoull() would take blanks and signs. */
  if (isdigit ((unsigned char) *text))
    {
      *ret_number = strtoull (text, &end, 10);
      if (errno == 0 && *end == '\0' && *ret_number > 0 && *ret_number <= INT64_MAX)
        return true;
    }
  return dn_fail (failure, -EINVAL, "--%s: not a positive number", name);
}

bool
dn_options_read (int argc, char **argv, DnOptions *ret_options, DnFailure *failure)
{
  static const struct option table[] = {
    { "archive", required_argument, NULL, 'a' },
    { "archive-bytes", required_argument, NULL, 'A' },
    { "scratch", required_argument, NULL, 's' },
    { "output", required_argument, NULL, 'o' },
    { "files-limit", required_argument, NULL, 'f' },
    { "unpacked-limit", required_argument, NULL, 'u' },
    { "reference", required_argument, NULL, 'r' },
    { 0 },
  };
  DnOptions options = { .reference = "" };
  int index = 0;
  int option;

  optind = 1;
  opterr = 0;
  while ((option = getopt_long (argc, argv, "", table, &index)) != -1)
    {
      const char *name = table[index].name;
      bool is_good = true;

      switch (option)
        {
        case 'a':
          options.archive = optarg;
          break;
        case 'A':
          is_good = read_number (name, optarg, &options.archive_bytes, failure);
          break;
        case 's':
          options.scratch = optarg;
          break;
        case 'o':
          options.output = optarg;
          break;
        case 'f':
          is_good = read_number (name, optarg, &options.files_limit, failure);
          break;
        case 'u':
          is_good = read_number (name, optarg, &options.unpacked_limit, failure);
          break;
        case 'r':
          options.reference = optarg;
          break;
        default:
          return dn_fail (failure, -EINVAL, "an option is unknown or has no value");
        }
      if (!is_good)
        return false;
    }

  if (optind != argc || options.archive == NULL || options.scratch == NULL || options.output == NULL
      || options.archive_bytes == 0 || options.files_limit == 0 || options.unpacked_limit == 0)
    return dn_fail (failure, -EINVAL, "an option is missing");
  *ret_options = options;
  return true;
}
