/* SPDX-License-Identifier: Apache-2.0 */
#include "xml-writer.h"

#include "../common/error.h"

static void
fail (DnXml *xml, const char *where, const char *why)
{
  if (xml->problem == NULL)
    xml->problem = g_strdup_printf ("<%s>: %s", where, why);
}

static const char *
innermost (const DnXml *xml)
{
  return xml->depth > 0 ? xml->open[xml->depth - 1] : "document";
}

static void
indent (DnXml *xml)
{
  for (guint i = 0; i < xml->depth; i++)
    g_string_append (xml->text, "  ");
}

/* Escapes by hand: g_markup_escape_text() turns control characters into references that XML
 * forbids, and passes invalid UTF-8 through. */
static void
append_escaped (DnXml *xml, const char *value)
{
  if (value == NULL || !g_utf8_validate (value, -1, NULL))
    {
      fail (xml, innermost (xml), "a value is missing or not UTF-8");
      return;
    }
  for (const char *p = value; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      /* Tabs and newlines are legal XML but in no value of ours. */
      if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xfffe || c == 0xffff)
        {
          fail (xml, innermost (xml), "a value holds a control character");
          return;
        }
      switch (c)
        {
        case '<':
          g_string_append (xml->text, "&lt;");
          break;
        case '>':
          g_string_append (xml->text, "&gt;");
          break;
        case '&':
          g_string_append (xml->text, "&amp;");
          break;
        case '\'':
          g_string_append (xml->text, "&apos;");
          break;
        case '"':
          g_string_append (xml->text, "&quot;");
          break;
        default:
          g_string_append_unichar (xml->text, c);
        }
    }
}

static void
finish_tag (DnXml *xml)
{
  if (xml->is_tag_open)
    g_string_append_c (xml->text, '>');
  xml->is_tag_open = FALSE;
}

void
dn_xml_init (DnXml *xml)
{
  *xml = (DnXml){ .text = g_string_sized_new (4096) };
}

void
dn_xml_open (DnXml *xml, const char *name)
{
  if (xml->depth == DN_XML_DEPTH_MAX)
    {
      fail (xml, name, "nested too deep");
      return;
    }
  finish_tag (xml);
  if (xml->depth > 0)
    xml->has_children[xml->depth - 1] = TRUE;
  if (xml->text->len > 0)
    g_string_append_c (xml->text, '\n');
  indent (xml);
  g_string_append_printf (xml->text, "<%s", name);
  xml->has_children[xml->depth] = FALSE;
  xml->open[xml->depth++] = name;
  xml->is_tag_open = TRUE;
}

void
dn_xml_attribute (DnXml *xml, const char *name, const char *value)
{
  if (!xml->is_tag_open)
    {
      fail (xml, innermost (xml), "an attribute after the content");
      return;
    }
  g_string_append_printf (xml->text, " %s='", name);
  append_escaped (xml, value);
  g_string_append_c (xml->text, '\'');
}

void
dn_xml_attribute_number (DnXml *xml, const char *name, guint64 value)
{
  char digits[24];

  g_snprintf (digits, sizeof digits, "%" G_GUINT64_FORMAT, value);
  dn_xml_attribute (xml, name, digits);
}

void
dn_xml_attribute_hex (DnXml *xml, const char *name, guint value)
{
  char digits[16];

  g_snprintf (digits, sizeof digits, "0x%x", value);
  dn_xml_attribute (xml, name, digits);
}

void
dn_xml_text (DnXml *xml, const char *value)
{
  finish_tag (xml);
  append_escaped (xml, value);
}

void
dn_xml_close (DnXml *xml)
{
  if (xml->depth == 0)
    {
      fail (xml, "document", "closed once too often");
      return;
    }
  xml->depth--;
  if (xml->is_tag_open)
    {
      g_string_append (xml->text, "/>");
      xml->is_tag_open = FALSE;
      return;
    }
  if (xml->has_children[xml->depth])
    {
      g_string_append_c (xml->text, '\n');
      indent (xml);
    }
  g_string_append_printf (xml->text, "</%s>", xml->open[xml->depth]);
}

void
dn_xml_empty (DnXml *xml, const char *name, ...)
{
  va_list arguments;
  const char *attribute;

  dn_xml_open (xml, name);
  va_start (arguments, name);
  while ((attribute = va_arg (arguments, const char *)) != NULL)
    dn_xml_attribute (xml, attribute, va_arg (arguments, const char *));
  va_end (arguments);
  dn_xml_close (xml);
}

void
dn_xml_element (DnXml *xml, const char *name, const char *value)
{
  dn_xml_open (xml, name);
  dn_xml_text (xml, value);
  dn_xml_close (xml);
}

char *
dn_xml_finish (DnXml *xml, GError **error)
{
  g_autofree char *problem = NULL;
  g_autofree char *text = NULL;

  if (xml->depth != 0)
    fail (xml, innermost (xml), "left open");
  g_string_append_c (xml->text, '\n');
  problem = g_steal_pointer (&xml->problem);
  text = g_string_free (g_steal_pointer (&xml->text), FALSE);
  if (problem != NULL)
    {
      dn_throw (error, DN_ERROR_FAILED, "XML: %s", problem);
      return NULL;
    }
  return g_steal_pointer (&text);
}
