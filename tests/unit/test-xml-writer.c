/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/guest/xml-writer.c launcher/common/error.c */
#include "../../launcher/common/error.h"
#include "../../launcher/guest/xml-writer.h"

static char *
write_value (const char *value, GError **error)
{
  DnXml xml;

  dn_xml_init (&xml);
  dn_xml_open (&xml, "a");
  dn_xml_attribute (&xml, "b", value);
  dn_xml_text (&xml, value);
  dn_xml_close (&xml);
  return dn_xml_finish (&xml, error);
}

static void
test_escapes_each_byte_that_could_break_out (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = write_value ("<>&'\"]]>", &error);

  g_assert_no_error (error);
  g_assert_cmpstr (text, ==,
                   "<a b='&lt;&gt;&amp;&apos;&quot;]]&gt;'>&lt;&gt;&amp;&apos;&quot;]]&gt;</a>\n");
}

static void
test_refuses_what_xml_cannot_carry (void)
{
  char value[2] = "x";

  for (int byte = 1; byte < 256; byte++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *text = NULL;

      value[0] = (char) byte;
      text = write_value (value, &error);
      if (byte < 0x20 || byte >= 0x7f)
        g_assert_error (error, DN_ERROR, DN_ERROR_FAILED);
      else
        g_assert_no_error (error);
      g_assert_true ((text == NULL) == (byte < 0x20 || byte >= 0x7f));
    }
}

static void
test_refuses_a_missing_value_and_c1_characters (void)
{
  g_assert_null (write_value (NULL, NULL));
  g_assert_null (write_value ("\xc2\x80", NULL));
  g_assert_null (write_value ("\xef\xbf\xbe", NULL));
}

static void
test_nests_and_indents (void)
{
  g_autofree char *text = NULL;
  DnXml xml;

  dn_xml_init (&xml);
  dn_xml_open (&xml, "a");
  dn_xml_element (&xml, "b", "1");
  dn_xml_empty (&xml, "c", "d", "2", NULL);
  dn_xml_open (&xml, "e");
  dn_xml_attribute_number (&xml, "n", G_MAXUINT64);
  dn_xml_attribute_hex (&xml, "h", 31);
  dn_xml_close (&xml);
  dn_xml_close (&xml);
  text = dn_xml_finish (&xml, NULL);
  g_assert_cmpstr (text, ==,
                   "<a>\n  <b>1</b>\n  <c d='2'/>\n"
                   "  <e n='18446744073709551615' h='0x1f'/>\n</a>\n");
}

static void
test_refuses_unbalanced_elements (void)
{
  DnXml xml;

  dn_xml_init (&xml);
  dn_xml_open (&xml, "a");
  g_assert_null (dn_xml_finish (&xml, NULL));
  dn_xml_init (&xml);
  dn_xml_close (&xml);
  g_assert_null (dn_xml_finish (&xml, NULL));
  dn_xml_init (&xml);
  for (int i = 0; i <= DN_XML_DEPTH_MAX; i++)
    dn_xml_open (&xml, "a");
  for (int i = 0; i < DN_XML_DEPTH_MAX; i++)
    dn_xml_close (&xml);
  g_assert_null (dn_xml_finish (&xml, NULL));
}

static void
test_refuses_an_attribute_after_content (void)
{
  DnXml xml;

  dn_xml_init (&xml);
  dn_xml_open (&xml, "a");
  dn_xml_text (&xml, "text");
  dn_xml_attribute (&xml, "b", "c");
  dn_xml_close (&xml);
  g_assert_null (dn_xml_finish (&xml, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/xml-writer/escapes each byte that could break out",
                   test_escapes_each_byte_that_could_break_out);
  g_test_add_func ("/xml-writer/refuses what XML cannot carry", test_refuses_what_xml_cannot_carry);
  g_test_add_func ("/xml-writer/refuses a missing value and C1 characters",
                   test_refuses_a_missing_value_and_c1_characters);
  g_test_add_func ("/xml-writer/nests and indents", test_nests_and_indents);
  g_test_add_func ("/xml-writer/refuses unbalanced elements", test_refuses_unbalanced_elements);
  g_test_add_func ("/xml-writer/refuses an attribute after content",
                   test_refuses_an_attribute_after_content);
  return g_test_run ();
}
