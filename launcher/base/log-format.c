/* SPDX-License-Identifier: Apache-2.0 */
#include "log-format.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_S 1000000000
#define S_PER_DAY 86400
#define TIME_CHARS 30 /* 2026-11-22T04:00:00.123456789Z */

static const char *const source_names[] = {
  [DN_LOG_STDOUT] = "stdout",
  [DN_LOG_STDERR] = "stderr",
  [DN_LOG_DANCHI] = "danchi",
};

/* gmtime_r(3) would do, but it may open the time zone's file, which the relay can no more. */
static void
split_days (int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
  /* Count from 1 March of the year 0, so that a leap day is the last day of its year. */
  int64_t day = days + 719468;
  int64_t era = day / 146097; /* 400 years */
  int64_t in_era = day % 146097;
  int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
  int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
  int64_t month = (5 * in_year + 2) / 153; /* 0 is March */

  *ret_day = (int) (in_year - (153 * month + 2) / 5 + 1);
  *ret_month = (int) (month < 10 ? month + 3 : month - 9);
  *ret_year = (int) (era * 400 + year + (*ret_month <= 2));
}

static int64_t
join_days (int year, int month, int day)
{
  int64_t y = month <= 2 ? year - 1 : year;
  int64_t in_era = y % 400;
  int64_t in_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

  return y / 400 * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

static char *
put_digits (char *at, uint64_t value, int digits)
{
  for (int i = digits - 1; i >= 0; i--, value /= 10)
    at[i] = (char) ('0' + value % 10);
  return at + digits;
}

static char *
put_time (char *at, int64_t time_ns)
{
  int64_t ns = time_ns < 0 ? 0 : time_ns; /* a host whose clock is before 1970 */
  int64_t seconds = ns / NS_PER_S;
  int64_t in_day = seconds % S_PER_DAY;
  int year, month, day;

  split_days (seconds / S_PER_DAY, &year, &month, &day);
  at = put_digits (at, (uint64_t) year, 4);
  *at++ = '-';
  at = put_digits (at, (uint64_t) month, 2);
  *at++ = '-';
  at = put_digits (at, (uint64_t) day, 2);
  *at++ = 'T';
  at = put_digits (at, (uint64_t) (in_day / 3600), 2);
  *at++ = ':';
  at = put_digits (at, (uint64_t) (in_day / 60 % 60), 2);
  *at++ = ':';
  at = put_digits (at, (uint64_t) (in_day % 60), 2);
  *at++ = '.';
  at = put_digits (at, (uint64_t) (ns % NS_PER_S), 9);
  *at++ = 'Z';
  return at;
}

static char *
put_words (char *at, const char *words)
{
  size_t length = strlen (words);

  memcpy (at, words, length);
  return at + length;
}

static char *
put_escape (char *at, unsigned unit)
{
  static const char digits[] = "0123456789abcdef";

  *at++ = '\\';
  *at++ = 'u';
  for (int shift = 12; shift >= 0; shift -= 4)
    *at++ = digits[unit >> shift & 15];
  return at;
}

/* The length of the UTF-8 sequence at @text, its code point in @ret_point; 0 for none.  Refuses
 * what RFC 3629 refuses: overlong forms, surrogates, points over U+10FFFF. */
static size_t
decode_utf8 (const uint8_t *text, size_t size, uint32_t *ret_point)
{
  static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
  uint8_t lead = text[0];
  size_t length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  uint32_t point;

  if (length == 0 || lead > 0xf4 || length > size)
    return 0;
  point = length == 1 ? lead : lead & (0x7fu >> length);
  for (size_t i = 1; i < length; i++)
    {
      if ((text[i] & 0xc0) != 0x80)
        return 0;
      point = point << 6 | (text[i] & 0x3f);
    }
  if (point < smallest[length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
    return 0;
  *ret_point = point;
  return length;
}

/* Whether a byte goes into a record as it is, without a look at its neighbours. */
static bool
is_plain (uint8_t byte)
{
  return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

static char *
put_text (char *at, const uint8_t *text, size_t size)
{
  size_t i = 0;

  while (i < size)
    {
      size_t start = i, length;
      uint32_t point = 0;

      while (i < size && is_plain (text[i]))
        i++;
      memcpy (at, text + start, i - start);
      at += i - start;
      if (i == size)
        break;

      length = decode_utf8 (text + i, size - i, &point);
      if (length == 0)
        {
          at = put_escape (at, 0xfffd);
          i++;
          continue;
        }
      if (point == '"' || point == '\\')
        {
          *at++ = '\\';
          *at++ = (char) point;
        }
      else if (point < 0x20 || (point >= 0x7f && point < 0xa0)) /* C0, DEL, C1 */
        at = put_escape (at, point);
      else
        {
          memcpy (at, text + i, length);
          at += length;
        }
      i += length;
    }
  return at;
}

size_t
dn_log_encode_header (char *ret_line, uint64_t number)
{
  return (size_t) snprintf (ret_line, DN_LOG_HEADER_MAX_BYTES, "{\"half\":%llu}\n",
                            (unsigned long long) number);
}

size_t
dn_log_encode_record (char *ret_line, const DnLogRecord *record)
{
  char *at = put_words (ret_line, "{\"t\":\"");

  at = put_time (at, record->time_ns);
  at = put_words (at, "\",\"s\":\"");
  at = put_words (at, source_names[record->source]);
  if (record->source == DN_LOG_DANCHI)
    {
      at += sprintf (at, "\",\"dropped_lines\":%llu,\"dropped_bytes\":%llu}\n",
                     (unsigned long long) record->dropped_lines,
                     (unsigned long long) record->dropped_bytes);
      return (size_t) (at - ret_line);
    }
  at = put_words (at, "\",\"m\":\"");
  at = put_text (at, record->text, record->text_bytes);
  at = put_words (at, record->is_partial ? "\",\"p\":true}\n" : "\"}\n");
  return (size_t) (at - ret_line);
}

/* A line that is read from the left; the first mismatch fails it for good. */
typedef struct
{
  const char *at;
  const char *end;
  bool failed;
} Cursor;

static bool
skip_words (Cursor *cursor, const char *words)
{
  size_t length = strlen (words);

  if (cursor->failed || (size_t) (cursor->end - cursor->at) < length
      || memcmp (cursor->at, words, length) != 0)
    return false;
  cursor->at += length;
  return true;
}

static void
expect_words (Cursor *cursor, const char *words)
{
  if (!skip_words (cursor, words))
    cursor->failed = true;
}

/* A decimal number of exactly @digits, or with @digits 0 of any length without leading zeros. */
static uint64_t
read_number (Cursor *cursor, int digits)
{
  const char *start = cursor->at;
  uint64_t value = 0;

  while (!cursor->failed && cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9'
         && (digits == 0 || cursor->at - start < digits))
    {
      uint64_t digit = (uint64_t) (*cursor->at++ - '0');

      if (value > (UINT64_MAX - digit) / 10)
        cursor->failed = true;
      else
        value = value * 10 + digit;
    }
  if (cursor->at == start || (digits > 0 && cursor->at - start != digits)
      || (digits == 0 && *start == '0' && cursor->at - start > 1))
    cursor->failed = true;
  return value;
}

static int64_t
read_time (Cursor *cursor)
{
  int numbers[6];
  static const char *const after[] = { "-", "-", "T", ":", ":", "." };
  static const int most[] = { 9999, 12, 31, 23, 59, 60 };
  int64_t ns;

  for (int i = 0; i < 6; i++)
    {
      numbers[i] = (int) read_number (cursor, i == 0 ? 4 : 2);
      if (numbers[i] > most[i])
        cursor->failed = true;
      expect_words (cursor, after[i]);
    }
  ns = (int64_t) read_number (cursor, 9);
  expect_words (cursor, "Z");
  /* Until 2262: nanoseconds since the epoch then no longer fit. */
  if (cursor->failed || numbers[0] < 1970 || numbers[0] > 2261 || numbers[1] < 1 || numbers[2] < 1)
    {
      cursor->failed = true;
      return 0;
    }
  return (join_days (numbers[0], numbers[1], numbers[2]) * S_PER_DAY + numbers[3] * 3600
          + numbers[4] * 60 + numbers[5])
             * NS_PER_S
         + ns;
}

static uint32_t
read_escape (Cursor *cursor)
{
  uint32_t unit = 0;

  if (cursor->end - cursor->at < 4)
    {
      cursor->failed = true;
      return 0;
    }
  for (int i = 0; i < 4; i++)
    {
      char c = *cursor->at++;

      if (c >= '0' && c <= '9')
        unit = unit << 4 | (uint32_t) (c - '0');
      else if (c >= 'a' && c <= 'f')
        unit = unit << 4 | (uint32_t) (c - 'a' + 10);
      else
        cursor->failed = true;
    }
  /* What put_text() escapes: controls and the replacement character. */
  if (unit != 0xfffd && !(unit < 0x20 || (unit >= 0x7f && unit < 0xa0)))
    cursor->failed = true;
  return unit;
}

/* Reads up to the closing quote. */
static size_t
read_text (Cursor *cursor, uint8_t *ret_text)
{
  uint8_t *out = ret_text;

  while (!cursor->failed && cursor->at < cursor->end && *cursor->at != '"')
    {
      uint8_t byte = (uint8_t) *cursor->at;
      uint32_t unit;

      if (byte < 0x20)
        cursor->failed = true;
      else if (byte != '\\')
        {
          *out++ = byte;
          cursor->at++;
        }
      else if (skip_words (cursor, "\\\""))
        *out++ = '"';
      else if (skip_words (cursor, "\\\\"))
        *out++ = '\\';
      else
        {
          expect_words (cursor, "\\u");
          unit = cursor->failed ? 0 : read_escape (cursor);
          if (unit >= 0x800)
            *out++ = (uint8_t) (0xe0 | unit >> 12);
          if (unit >= 0x800)
            *out++ = (uint8_t) (0x80 | (unit >> 6 & 0x3f));
          else if (unit >= 0x80)
            *out++ = (uint8_t) (0xc0 | unit >> 6);
          *out++ = (uint8_t) (unit < 0x80 ? unit : (0x80 | (unit & 0x3f)));
        }
    }
  expect_words (cursor, "\"");
  return (size_t) (out - ret_text);
}

int
dn_log_decode_header (const char *line, size_t size, uint64_t *ret_number)
{
  Cursor cursor = { .at = line, .end = line + size };
  uint64_t number;

  expect_words (&cursor, "{\"half\":");
  number = cursor.failed || cursor.at == cursor.end ? 0 : read_number (&cursor, 0);
  expect_words (&cursor, "}");
  if (cursor.failed || cursor.at != cursor.end || number == 0)
    return -EPROTO;
  *ret_number = number;
  return 0;
}

int
dn_log_decode_record (const char *line, size_t size, uint8_t *text_buffer, DnLogRecord *ret_record)
{
  Cursor cursor = { .at = line, .end = line + size };
  DnLogRecord record = { .text = text_buffer };

  expect_words (&cursor, "{\"t\":\"");
  record.time_ns = read_time (&cursor);
  expect_words (&cursor, "\",\"s\":\"");
  if (skip_words (&cursor, "danchi\",\"dropped_lines\":"))
    {
      record.source = DN_LOG_DANCHI;
      record.dropped_lines = cursor.at == cursor.end ? 0 : read_number (&cursor, 0);
      expect_words (&cursor, ",\"dropped_bytes\":");
      record.dropped_bytes = cursor.at == cursor.end ? 0 : read_number (&cursor, 0);
    }
  else
    {
      record.source = skip_words (&cursor, "stdout") ? DN_LOG_STDOUT : DN_LOG_STDERR;
      if (record.source == DN_LOG_STDERR)
        expect_words (&cursor, "stderr");
      expect_words (&cursor, "\",\"m\":\"");
      record.text_bytes = read_text (&cursor, text_buffer);
      record.is_partial = skip_words (&cursor, ",\"p\":true");
    }
  expect_words (&cursor, "}");
  if (cursor.failed || cursor.at != cursor.end)
    return -EPROTO;
  *ret_record = record;
  return 0;
}
