/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <errno.h>
#include <stdlib.h>

static int
wrong_type (const char *name, const char *wanted, DnFault *fault)
{
  return dn_fault_set (fault, -EINVAL, "config: '%s': must be %s", name, wanted);
}

/* Returns: the member, or NULL when it is missing or null. */
static json_t *
find_member (const json_t *object, const char *name)
{
  json_t *value = json_object_get (object, name);

  return json_is_null (value) ? NULL : value;
}

void
dn_texts_clear (DnTexts *texts)
{
  free (texts->items);
  *texts = (DnTexts){ 0 };
}

int
dn_json_parse (const char *text, size_t size, json_t **ret_root, DnFault *fault)
{
  json_error_t error;
  json_t *root = json_loadb (text, size, JSON_REJECT_DUPLICATES, &error);

  if (root == NULL)
    return dn_fault_set (fault, -EINVAL, "config: line %d: %s", error.line, error.text);
  if (!json_is_object (root))
    {
      json_decref (root);
      return dn_fault_set (fault, -EINVAL, "config: must be a JSON object");
    }
  *ret_root = root;
  return 0;
}

int
dn_json_text (const json_t *object, const char *name, const char **ret_text, DnFault *fault)
{
  json_t *value = find_member (object, name);

  if (value == NULL)
    return 0;
  if (!json_is_string (value))
    return wrong_type (name, "a text", fault);
  *ret_text = json_string_value (value);
  return 0;
}

int
dn_json_bool (const json_t *object, const char *name, bool *ret_value, DnFault *fault)
{
  json_t *value = find_member (object, name);

  if (value == NULL)
    return 0;
  if (!json_is_boolean (value))
    return wrong_type (name, "true or false", fault);
  *ret_value = json_is_true (value);
  return 0;
}

int
dn_json_int (const json_t *object, const char *name, int64_t least, int64_t most,
             int64_t *ret_value, DnFault *fault)
{
  json_t *value = find_member (object, name);
  int64_t number;

  if (value == NULL)
    return 0;
  if (!json_is_integer (value))
    return wrong_type (name, "an integer", fault);
  number = json_integer_value (value);
  if (number < least || number > most)
    return dn_fault_set (fault, -EINVAL, "config: '%s': %lld is out of range", name,
                         (long long) number);
  *ret_value = number;
  return 0;
}

int
dn_json_object (const json_t *object, const char *name, json_t **ret_object, DnFault *fault)
{
  json_t *value = find_member (object, name);

  if (value == NULL)
    return 0;
  if (!json_is_object (value))
    return wrong_type (name, "an object", fault);
  *ret_object = value;
  return 0;
}

int
dn_json_array (const json_t *object, const char *name, size_t limit, json_t **ret_array,
               DnFault *fault)
{
  json_t *value = find_member (object, name);

  if (value == NULL)
    return 0;
  if (!json_is_array (value))
    return wrong_type (name, "a list", fault);
  if (json_array_size (value) > limit)
    return dn_fault_set (fault, -E2BIG, "config: '%s': more than %zu elements", name, limit);
  *ret_array = value;
  return 0;
}

int
dn_json_texts (const json_t *object, const char *name, size_t limit, DnTexts *ret_texts,
               DnFault *fault)
{
  json_t *array = NULL;
  json_t *element;
  size_t i;
  DnTexts texts = { 0 };
  int r = dn_json_array (object, name, limit, &array, fault);

  if (r < 0 || array == NULL)
    return r;
  texts.items = calloc (json_array_size (array) + 1, sizeof *texts.items);
  if (texts.items == NULL)
    return dn_fault_set (fault, -ENOMEM, "config: no memory");
  json_array_foreach (array, i, element)
  {
    if (!json_is_string (element))
      {
        dn_texts_clear (&texts);
        return wrong_type (name, "a list of texts", fault);
      }
    texts.items[texts.count++] = json_string_value (element);
  }
  dn_texts_clear (ret_texts);
  *ret_texts = texts;
  return 0;
}
