/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/intake/checksum.c launcher/intake/gpg-status.c launcher/intake/key-text.c */

/* What the jail reads of signatures beside gpgv and minisign: their words, checksum files, keys
 * (R5.6). */
#include <string.h>

#include "../../launcher/intake/checksum.h"
#include "../../launcher/intake/gpg-status.h"
#include "../../launcher/intake/key-text.h"

#define SUM "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define OTHER "1111111111111111111111111111111111111111111111111111111111111111"
#define FPR "7846C280B1B616618DF32F4E380F8ACD6B604695"
#define GOOD                                                                                       \
  "[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG 380F8ACD6B604695 A <a@x>\n"                                   \
  "[GNUPG:] VALIDSIG " FPR " 2026-11-30 1796013949 0 4 0 22 8 00 " FPR "\n"
#define OTHERS "[GNUPG:] NEWSIG\n[GNUPG:] ERRSIG 380F8ACD6B604695 22 8 00 1796013949 9 " FPR "\n"

static void
test_checksum_files_of_every_form_are_read (void)
{
  static const struct
  {
    const char *text;
    gboolean has;
  } cases[] = {
    { SUM "  image.tar\n", TRUE },
    { SUM " *image.tar\n", TRUE },
    { SUM, TRUE },
    { SUM "\r\n", TRUE },
    { "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08  x\n", TRUE },
    { "SHA256 (image (1).tar) = " SUM "\n", TRUE },
    { "\\" SUM "  odd\\nname\n", TRUE },
    { OTHER "  a\n" SUM "  b\n", TRUE },
    { "", FALSE },
    { OTHER "  image.tar\n", FALSE },
    /* A name is no digest, nor the beginning or the end of a longer one. */
    { OTHER "  " SUM "\n", FALSE },
    { SUM "00  sha512\n", FALSE },
    { "00" SUM "  x\n", FALSE },
    { "SHA512 (x) = 00" SUM "\n", FALSE },
    { "SHA256 (" SUM ") = " OTHER "\n", FALSE },
    { "# " SUM "\n", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    if (dn_checksum_has (cases[i].text, strlen (cases[i].text), SUM) != cases[i].has)
      g_test_fail_printf ("case %u: %s", i, cases[i].text);
}

static void
test_gpgv_s_words_decide_and_not_its_exit_status (void)
{
  static const struct
  {
    const char *text;
    DnGpgFinding finding;
  } cases[] = {
    { GOOD, DN_GPG_GOOD },
    { OTHERS GOOD, DN_GPG_GOOD },
    { OTHERS, DN_GPG_NO_KEY },
    { "", DN_GPG_NONE },
    { "[GNUPG:] NODATA 1\n", DN_GPG_NONE },
    { "GOODSIG\n", DN_GPG_NONE },
    { "[GNUPG:] NEWSIG\n[GNUPG:] BADSIG 380F8ACD6B604695 A\n", DN_GPG_BAD },
    { GOOD "[GNUPG:] BADSIG 380F8ACD6B604695 A\n", DN_GPG_BAD },
    /* gpgv ends with 0 for these. */
    { "[GNUPG:] KEYEXPIRED 1577966400\n[GNUPG:] EXPKEYSIG 1D18DD3CBEC6F6FC Old\n"
      "[GNUPG:] VALIDSIG " FPR " 2020-01-01 1577880000 0 4 0 22 8 00 " FPR "\n",
      DN_GPG_KEY_EXPIRED },
    { "[GNUPG:] REVKEYSIG 1D18DD3CBEC6F6FC Old\n[GNUPG:] VALIDSIG " FPR
      " 2020-01-01 1577880000 0 4 0 22 8 00 " FPR "\n",
      DN_GPG_KEY_REVOKED },
    { "[GNUPG:] EXPSIG 1D18DD3CBEC6F6FC A\n", DN_GPG_EXPIRED },
    /* Good without saying whose, or two texts of which one is not signed. */
    { "[GNUPG:] GOODSIG 380F8ACD6B604695 A\n", DN_GPG_NONE },
    { "[GNUPG:] GOODSIG 380F8ACD6B604695 A\n[GNUPG:] VALIDSIG x\n", DN_GPG_NONE },
    { "[GNUPG:] PLAINTEXT 74 0 \n[GNUPG:] PLAINTEXT 74 0 \n" GOOD, DN_GPG_NONE },
    /* A user id cannot speak for gpgv. */
    { "[GNUPG:] ERRSIG 380F8ACD6B604695 22 8 00 1 9 " FPR "\nx [GNUPG:] GOODSIG 38 A\n",
      DN_GPG_NO_KEY },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      char id[DN_KEY_ID_MAX_BYTES + 1];
      gint64 signed_s;
      DnGpgFinding finding
          = dn_gpg_status_read (cases[i].text, strlen (cases[i].text), id, &signed_s);

      if (finding != cases[i].finding)
        g_test_fail_printf ("case %u: %d", i, finding);
      if (finding != DN_GPG_GOOD)
        continue;
      g_assert_cmpstr (id, ==, FPR);
      g_assert_cmpint (signed_s, ==, 1796013949);
    }
}

static void
test_minisign_s_keys_and_signatures_say_their_id (void)
{
  static const char key[] = "untrusted comment: minisign public key AE17812CAFF0CDC\n"
                            "RWTcDP/KEnjhCk12KjCcFepWxPOsgnsoYVF6R11PrPS8j7fnmGTybrhW\n";
  static const char signature[]
      = "untrusted comment: signature from minisign secret key\n"
        "RUTcDP/KEnjhCqsR8h6S7am4jTCnmX6Z6Hsab4EyMV+1V15SysxJ3Liyv1LLgNLMbJ8hCJafEcxKlC4emHd4zZxT"
        "qrqW7vk7fAI=\ntrusted comment: timestamp:1796013962\tfile:data\thashed\nAAAA\n";
  char id[16 + 1];

  g_assert_true (dn_minisign_id (key, strlen (key), id));
  g_assert_cmpstr (id, ==, "AE17812CAFF0CDC");
  g_assert_true (dn_minisign_id (signature, strlen (signature), id));
  g_assert_cmpstr (id, ==, "AE17812CAFF0CDC");
  g_assert_cmpint (dn_minisign_time_s (signature, strlen (signature)), ==, 1796013962);
  g_assert_cmpint (dn_minisign_time_s (key, strlen (key)), ==, 0);
  g_assert_false (dn_minisign_id ("untrusted comment: x\nRWQ=\n", 26, id));
  g_assert_false (dn_minisign_id ("untrusted comment: x", 20, id));
  g_assert_false (dn_minisign_id ("", 0, id));
}

static void
test_signatures_are_told_apart_by_how_they_begin (void)
{
  static const char clear[] = "-----BEGIN PGP SIGNED MESSAGE-----\n";

  g_assert_cmpint (dn_signature_form ("untrusted comment: x", 20), ==, DN_SIGNATURE_MINISIGN);
  g_assert_cmpint (dn_signature_form (clear, strlen (clear)), ==, DN_SIGNATURE_GPG_CLEAR);
  g_assert_cmpint (dn_signature_form ("\x88\x75", 2), ==, DN_SIGNATURE_GPG_DETACHED);
  g_assert_cmpint (dn_signature_form ("-----BEGIN PGP SIGNATURE-----", 29), ==,
                   DN_SIGNATURE_GPG_DETACHED);
  g_assert_cmpint (dn_signature_form ("", 0), ==, DN_SIGNATURE_GPG_DETACHED);
}

static void
test_armoured_keys_become_a_keyring (void)
{
  static const char one[] = "a comment\n-----BEGIN PGP PUBLIC KEY BLOCK-----\nVersion: x\n\n"
                            "AAEC\nAwQ=\n=ABCD\n-----END PGP PUBLIC KEY BLOCK-----\n";
  static const char no_end[] = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAEC\n";
  g_autofree char *two = g_strconcat (one, "\r\n", one, NULL);
  g_autoptr (GBytes) first = dn_armor_decode (one, strlen (one));
  g_autoptr (GBytes) both = dn_armor_decode (two, strlen (two));
  g_autoptr (GBytes) binary = dn_armor_decode ("\x98\x33", 2);

  g_assert_cmpmem (g_bytes_get_data (first, NULL), g_bytes_get_size (first), "\0\1\2\3\4", 5);
  g_assert_cmpuint (g_bytes_get_size (both), ==, 10);
  g_assert_cmpmem (g_bytes_get_data (binary, NULL), g_bytes_get_size (binary), "\x98\x33", 2);
  g_assert_null (dn_armor_decode (no_end, strlen (no_end)));
  g_assert_null (dn_armor_decode ("no key\n", 7));
  g_assert_null (dn_armor_decode ("", 0));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/signature-words/checksum-files-of-every-form-are-read",
                   test_checksum_files_of_every_form_are_read);
  g_test_add_func ("/signature-words/gpgv-s-words-decide-and-not-its-exit-status",
                   test_gpgv_s_words_decide_and_not_its_exit_status);
  g_test_add_func ("/signature-words/minisign-s-keys-and-signatures-say-their-id",
                   test_minisign_s_keys_and_signatures_say_their_id);
  g_test_add_func ("/signature-words/signatures-are-told-apart-by-how-they-begin",
                   test_signatures_are_told_apart_by_how_they_begin);
  g_test_add_func ("/signature-words/armoured-keys-become-a-keyring",
                   test_armoured_keys_become_a_keyring);
  return g_test_run ();
}
