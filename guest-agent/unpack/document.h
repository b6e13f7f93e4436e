/* SPDX-License-Identifier: Apache-2.0 */
/* JSON documents of an image, read strictly: the one place that knows jansson's looseness.
 *
 * Size and depth are limited before the parser sees a byte; duplicate keys, trailing bytes, NULs
 * and invalid UTF-8 are errors; a member of the wrong type is an error that names it, a missing or
 * null one leaves the output as it was.  Texts are borrowed from the document.  Pure.
 * Source: OCI image-spec; jansson, json_loadb().
 */
#pragma once

#include <jansson.h>

#include "failure.h"

#define DN_DOCUMENT_BYTES (4 * 1024 * 1024)
#define DN_DOCUMENT_DEPTH 32

/* @what: the document, for messages.  @ret_root: (transfer full): an object or an array. */
bool dn_document_parse (const char *text, size_t size, const char *what, json_t **ret_root,
                        DnFailure *failure);

bool dn_document_text (const json_t *object, const char *name, const char **ret_text,
                       DnFailure *failure);
bool dn_document_number (const json_t *object, const char *name, int64_t *ret_number,
                         DnFailure *failure);
bool dn_document_object (const json_t *object, const char *name, json_t **ret_object,
                         DnFailure *failure);
/* An array with at most @limit elements. */
bool dn_document_array (const json_t *object, const char *name, size_t limit, json_t **ret_array,
                        DnFailure *failure);

/* An element of an array (@array may be NULL: not there), which must be a text or an object. */
bool dn_document_text_at (const json_t *array, size_t index, const char *what,
                          const char **ret_text, DnFailure *failure);
bool dn_document_object_at (const json_t *array, size_t index, const char *what,
                            json_t **ret_object, DnFailure *failure);
