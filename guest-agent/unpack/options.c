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
dn_options_read_archive (int argc, char **argv, DnReadOptions *ret_options, DnFailure *failure)
{
  static const struct option table[] = {
    { "archive", required_argument, NULL, 'a' },
    { "archive-bytes", required_argument, NULL, 'A' },
    { "output", required_argument, NULL, 'o' },
    { "expanded-limit", required_argument, NULL, 'e' },
    { "reference", required_argument, NULL, 'r' },
    { 0 },
  };
  DnReadOptions options = { .reference = "" };
  bool is_good = true;
  int index = 0;
  int option;

  optind = 0; /* as for the first time: there may have been another command line */
  opterr = 0;
  while (is_good && (option = getopt_long (argc, argv, "", table, &index)) != -1)
    switch (option)
      {
      case 'a':
        options.archive = optarg;
        break;
      case 'A':
        is_good = read_number (table[index].name, optarg, &options.archive_bytes, failure);
        break;
      case 'o':
        options.output = optarg;
        break;
      case 'e':
        is_good = read_number (table[index].name, optarg, &options.expanded_limit, failure);
        break;
      case 'r':
        options.reference = optarg;
        break;
      default:
        is_good = dn_fail (failure, -EINVAL, "an option is unknown or has no value");
      }
  if (!is_good)
    return false;
  if (optind != argc || options.archive == NULL || options.output == NULL
      || options.archive_bytes == 0 || options.expanded_limit == 0)
    return dn_fail (failure, -EINVAL, "an option is missing");
  *ret_options = options;
  return true;
}

static bool
add_base (DnLayerOptions *options, const char *base, DnFailure *failure)
{
  if (options->bases_count == DN_DISK_LAYERS_MAX)
    return dn_fail (failure, -EFBIG, "--base: more than %d layers", DN_DISK_LAYERS_MAX);
  options->bases[options->bases_count++] = base;
  return true;
}

static bool
take_layer_option (DnLayerOptions *options, int option, const char *name, unsigned *digests,
                   DnFailure *failure)
{
  switch (option)
    {
    case 'b':
      options->blob = optarg;
      return true;
    case 'B':
      return read_number (name, optarg, &options->blob_bytes, failure);
    case 's':
      options->scratch = optarg;
      return true;
    case 'o':
      options->output = optarg;
      return true;
    case 'f':
      return read_number (name, optarg, &options->files_limit, failure);
    case 'u':
      return read_number (name, optarg, &options->unpacked_limit, failure);
    case 'l':
      return add_base (options, optarg, failure);
    case 'd':
      *digests |= 1;
      return dn_digest_read (optarg, name, &options->digest, failure);
    case 'i':
      *digests |= 2;
      return dn_digest_read (optarg, name, &options->diff_id, failure);
    case 'c':
      *digests |= 4;
      return dn_digest_read (optarg, name, &options->chain, failure);
    default:
      return dn_fail (failure, -EINVAL, "an option is unknown or has no value");
    }
}

bool
dn_options_read_layer (int argc, char **argv, DnLayerOptions *ret_options, DnFailure *failure)
{
  static const struct option table[] = {
    { "blob", required_argument, NULL, 'b' },
    { "blob-bytes", required_argument, NULL, 'B' },
    { "digest", required_argument, NULL, 'd' },
    { "diff-id", required_argument, NULL, 'i' },
    { "chain", required_argument, NULL, 'c' },
    { "scratch", required_argument, NULL, 's' },
    { "output", required_argument, NULL, 'o' },
    { "files-limit", required_argument, NULL, 'f' },
    { "unpacked-limit", required_argument, NULL, 'u' },
    { "base", required_argument, NULL, 'l' },
    { 0 },
  };
  DnLayerOptions options = { 0 };
  unsigned digests = 0;
  int index = 0;
  int option;

  optind = 0;
  opterr = 0;
  while ((option = getopt_long (argc, argv, "", table, &index)) != -1)
    if (!take_layer_option (&options, option, table[index].name, &digests, failure))
      return false;
  if (optind != argc || options.blob == NULL || options.scratch == NULL || options.output == NULL
      || options.blob_bytes == 0 || options.files_limit == 0 || options.unpacked_limit == 0
      || digests != 7)
    return dn_fail (failure, -EINVAL, "an option is missing");
  *ret_options = options;
  return true;
}
