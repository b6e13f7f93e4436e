/* SPDX-License-Identifier: Apache-2.0 */
/* The two words of `danchi cp`: a path here, or CONTAINER:PATH there.
 *
 * A word is a container's when it has a colon before any slash and starts with neither "/" nor "."
 * (write ./a:b for a file of such a name), as with docker.  Pure.
 */
#pragma once

#include <glib.h>

typedef struct
{
  char *container;            /* owned; NULL: a path on this host */
  char *path;                 /* owned; without trailing slashes and "/." */
  gboolean is_contents;       /* it ended with "/.": what is in the directory, not itself */
  gboolean must_be_directory; /* it ended with "/" */
} DnCopySpec;

/* DN_ERROR_USAGE for an empty container, an empty path, or a path there that is over the limit. */
gboolean dn_copy_spec_parse (const char *word, DnCopySpec *ret_spec, GError **error);
void dn_copy_spec_clear (DnCopySpec *spec);
