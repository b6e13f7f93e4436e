/* SPDX-License-Identifier: Apache-2.0 */
#include "document.h"

#include <errno.h>
#include <string.h>

/* Whether brackets nest deeper than jansson's recursion may go. */
static bool
is_too_deep (const char *text, size_t size)
{
  bool is_in_text = false;
  size_t depth = 0;

  for (size_t i = 0; i < size; i++)
    {
      char c = text[i];

      if (is_in_text)
        {
          if (c == '\\')
            i++;
          else if (c == '"')
            is_in_text = false;
        }
      else if (c == '"')
        is_in_text = true;
      else if ((c == '[' || c == '{') && ++depth > DN_DOCUMENT_DEPTH)
        return true;
      else if ((c == ']' || c == '}') && depth > 0)
        depth--;
    }
  return false;
}

bool
dn_document_parse (const char *text, size_t size, const char *what, json_t **ret_root,
                   DnFailure *failure)
{
  json_error_t error;
  json_t *root;

  if (size > DN_DOCUMENT_BYTES)
    return dn_fail (failure, -EFBIG, "%s: more than %d bytes", what, DN_DOCUMENT_BYTES);
  if (is_too_deep (text, size))
    return dn_fail (failure, -EINVAL, "%s: nested deeper than %d", what, DN_DOCUMENT_DEPTH);
  root = json_loadb (text, size, JSON_REJECT_DUPLICATES, &error);
  if (root == NULL)
    return dn_fail (failure, -EINVAL, "%s: line %d: %s", what, error.line,
                    dn_failure_name (error.text).text);
  *ret_root = root;
  return true;
}

static const json_t *
get (const json_t *object, const char *name)
{
  const json_t *value = json_object_get (object, name);

  return json_is_null (value) ? NULL : value;
}

bool
dn_document_text (const json_t *object, const char *name, const char **ret_text, DnFailure *failure)
{
  const json_t *value = get (object, name);

  if (value == NULL)
    return true;
  if (!json_is_string (value))
    return dn_fail (failure, -EINVAL, "'%s' is not a text", name);
  *ret_text = json_string_value (value);
  return true;
}

bool
dn_document_number (const json_t *object, const char *name, int64_t *ret_number, DnFailure *failure)
{
  const json_t *value = get (object, name);

  if (value == NULL)
    return true;
  if (!json_is_integer (value) || json_integer_value (value) < 0)
    return dn_fail (failure, -EINVAL, "'%s' is not a whole number", name);
  *ret_number = json_integer_value (value);
  return true;
}

bool
dn_document_object (const json_t *object, const char *name, json_t **ret_object, DnFailure *failure)
{
  const json_t *value = get (object, name);

  if (value == NULL)
    return true;
  if (!json_is_object (value))
    return dn_fail (failure, -EINVAL, "'%s' is not an object", name);
  *ret_object = (json_t *) value;
  return true;
}

bool
dn_document_array (const json_t *object, const char *name, size_t limit, json_t **ret_array,
                   DnFailure *failure)
{
  const json_t *value = get (object, name);

  if (value == NULL)
    return true;
  if (!json_is_array (value))
    return dn_fail (failure, -EINVAL, "'%s' is not a list", name);
  if (json_array_size (value) > limit)
    return dn_fail (failure, -EFBIG, "'%s' has more than %zu elements", name, limit);
  *ret_array = (json_t *) value;
  return true;
}

bool
dn_document_text_at (const json_t *array, size_t index, const char *what, const char **ret_text,
                     DnFailure *failure)
{
  const json_t *value = json_array_get (array, index);

  if (!json_is_string (value))
    return dn_fail (failure, -EINVAL, "%s: element %zu is not a text", what, index + 1);
  *ret_text = json_string_value (value);
  return true;
}

bool
dn_document_object_at (const json_t *array, size_t index, const char *what, json_t **ret_object,
                       DnFailure *failure)
{
  const json_t *value = json_array_get (array, index);

  if (!json_is_object (value))
    return dn_fail (failure, -EINVAL, "%s: element %zu is not an object", what, index + 1);
  *ret_object = (json_t *) value;
  return true;
}
