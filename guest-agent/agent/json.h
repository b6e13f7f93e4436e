/* SPDX-License-Identifier: Apache-2.0 */
/* Typed reading of JSON objects: the one place that knows jansson.
 *
 * A member that is missing or null leaves the output as it is; a wrong type, a value out of range
 * or a list over its limit is a fault of -EINVAL that names the member.  Texts are borrowed from
 * the document.  Pure.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "fault.h"

/* A list of texts that ends with a NULL, as execve(2) takes them.  The array is owned. */
typedef struct
{
  const char **items;
  size_t count;
} DnTexts;

void dn_texts_clear (DnTexts *texts);

int dn_json_parse (const char *text, size_t size, json_t **ret_root, DnFault *fault);
int dn_json_text (const json_t *object, const char *name, const char **ret_text, DnFault *fault);
int dn_json_bool (const json_t *object, const char *name, bool *ret_value, DnFault *fault);
int dn_json_int (const json_t *object, const char *name, int64_t least, int64_t most,
                 int64_t *ret_value, DnFault *fault);
int dn_json_object (const json_t *object, const char *name, json_t **ret_object, DnFault *fault);
int dn_json_array (const json_t *object, const char *name, size_t limit, json_t **ret_array,
                   DnFault *fault);
int dn_json_texts (const json_t *object, const char *name, size_t limit, DnTexts *ret_texts,
                   DnFault *fault);
