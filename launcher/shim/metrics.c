/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include "danchid.h"
#include "shim/metrics.pb-c.h"

#define CARD "eth0"

DnMetricsVersion
dn_metrics_host_version (void)
{
  struct statfs status;

  return statfs ("/sys/fs/cgroup", &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC
             ? DN_METRICS_V2
             : DN_METRICS_V1;
}

static guint64
number (JsonObject *stats, const char *name)
{
  return (guint64) MAX (dn_danchid_int (stats, name), 0);
}

/* danchid says -1 for none. */
static guint64
limit (JsonObject *stats, const char *name)
{
  gint64 value = dn_danchid_int (stats, name);

  return value > 0 ? (guint64) value : G_MAXUINT64;
}

static guint64
oom_count (JsonObject *stats, guint64 oom_kills)
{
  return MAX (number (stats, "oom_kills"), oom_kills);
}

static void
pack_into (const ProtobufCMessage *message, const char *type, Pb__Any *ret_any)
{
  ret_any->type_url = (char *) type;
  ret_any->value.len = protobuf_c_message_get_packed_size (message);
  ret_any->value.data = g_malloc (ret_any->value.len + 1);
  (void) protobuf_c_message_pack (message, ret_any->value.data);
}

static gboolean
fill_card (JsonObject *stats, Pb__NetworkStat *card)
{
  if (stats == NULL || !json_object_has_member (stats, "network_received_bytes"))
    return FALSE;
  card->name = (char *) CARD;
  card->rx_bytes = number (stats, "network_received_bytes");
  card->rx_packets = number (stats, "network_received_packets");
  card->rx_dropped = number (stats, "network_received_dropped");
  card->tx_bytes = number (stats, "network_sent_bytes");
  card->tx_packets = number (stats, "network_sent_packets");
  card->tx_dropped = number (stats, "network_sent_dropped");
  return TRUE;
}

static void
fill_pids (JsonObject *stats, Pb__PidsStat *pids)
{
  gint64 most = dn_danchid_int (stats, "pids_limit");

  pids->current = number (stats, "pids");
  /* As the kernel's "max" is read: 0. */
  pids->limit = most > 0 ? (guint64) most : 0;
}

static void
fill_v1 (JsonObject *stats, guint64 oom_kills, Pb__Any *ret_any)
{
  Pb__PidsStat pids = PB__PIDS_STAT__INIT;
  Pb__CpuUsageV1 usage = PB__CPU_USAGE_V1__INIT;
  Pb__ThrottleV1 throttling = PB__THROTTLE_V1__INIT;
  Pb__CpuV1 cpu = PB__CPU_V1__INIT;
  Pb__MemoryEntryV1 memory_usage = PB__MEMORY_ENTRY_V1__INIT, swap = PB__MEMORY_ENTRY_V1__INIT;
  Pb__MemoryEntryV1 kernel = PB__MEMORY_ENTRY_V1__INIT, tcp = PB__MEMORY_ENTRY_V1__INIT;
  Pb__MemoryV1 memory = PB__MEMORY_V1__INIT;
  Pb__BlkioEntryV1 read = PB__BLKIO_ENTRY_V1__INIT, write = PB__BLKIO_ENTRY_V1__INIT;
  Pb__BlkioEntryV1 *entries[] = { &read, &write };
  Pb__BlkioV1 blkio = PB__BLKIO_V1__INIT;
  Pb__OomControlV1 oom = PB__OOM_CONTROL_V1__INIT;
  Pb__NetworkStat card = PB__NETWORK_STAT__INIT, *cards[] = { &card };
  Pb__MetricsV1 metrics = PB__METRICS_V1__INIT;
  guint64 cache = number (stats, "memory_cache_bytes"), used = number (stats, "memory_bytes");

  fill_pids (stats, &pids);
  usage.total = number (stats, "cpu_us") * 1000;
  usage.user = number (stats, "cpu_user_us") * 1000;
  usage.kernel = number (stats, "cpu_system_us") * 1000;
  throttling.throttled_time = number (stats, "throttled_us") * 1000;
  cpu.usage = &usage;
  cpu.throttling = &throttling;
  memory_usage.usage = used;
  memory_usage.limit = limit (stats, "memory_limit_bytes");
  swap.limit = kernel.limit = tcp.limit = G_MAXUINT64;
  memory.cache = memory.total_cache = cache;
  memory.rss = memory.total_rss = used - MIN (cache, used);
  memory.inactive_file = memory.total_inactive_file = cache;
  memory.hierarchical_memory_limit = memory_usage.limit;
  memory.usage = &memory_usage;
  memory.swap = &swap;
  memory.kernel = &kernel;
  memory.kernel_tcp = &tcp;
  read.op = (char *) "Read";
  read.value = number (stats, "read_bytes");
  write.op = (char *) "Write";
  write.value = number (stats, "written_bytes");
  blkio.io_service_bytes_recursive = entries;
  blkio.n_io_service_bytes_recursive = G_N_ELEMENTS (entries);
  oom.oom_kill = oom_count (stats, oom_kills);
  metrics.pids = &pids;
  metrics.cpu = &cpu;
  metrics.memory = &memory;
  metrics.blkio = &blkio;
  metrics.memory_oom_control = &oom;
  metrics.network = cards;
  metrics.n_network = fill_card (stats, &card) ? 1 : 0;
  pack_into (&metrics.base, "io.containerd.cgroups.v1.Metrics", ret_any);
}

static void
fill_v2 (JsonObject *stats, guint64 oom_kills, Pb__Any *ret_any)
{
  Pb__PidsStat pids = PB__PIDS_STAT__INIT;
  Pb__CpuV2 cpu = PB__CPU_V2__INIT;
  Pb__MemoryV2 memory = PB__MEMORY_V2__INIT;
  Pb__MemoryEventsV2 events = PB__MEMORY_EVENTS_V2__INIT;
  Pb__IoEntryV2 entry = PB__IO_ENTRY_V2__INIT, *entries[] = { &entry };
  Pb__IoV2 io = PB__IO_V2__INIT;
  Pb__NetworkStat card = PB__NETWORK_STAT__INIT, *cards[] = { &card };
  Pb__MetricsV2 metrics = PB__METRICS_V2__INIT;
  guint64 cache = number (stats, "memory_cache_bytes"), used = number (stats, "memory_bytes");

  fill_pids (stats, &pids);
  cpu.usage_usec = number (stats, "cpu_us");
  cpu.user_usec = number (stats, "cpu_user_us");
  cpu.system_usec = number (stats, "cpu_system_us");
  cpu.throttled_usec = number (stats, "throttled_us");
  memory.anon = used - MIN (cache, used);
  memory.file = memory.inactive_file = cache;
  memory.usage = used;
  memory.usage_limit = limit (stats, "memory_limit_bytes");
  memory.swap_limit = G_MAXUINT64;
  events.oom = events.oom_kill = oom_count (stats, oom_kills);
  entry.rbytes = number (stats, "read_bytes");
  entry.wbytes = number (stats, "written_bytes");
  io.usage = entries;
  io.n_usage = G_N_ELEMENTS (entries);
  metrics.pids = &pids;
  metrics.cpu = &cpu;
  metrics.memory = &memory;
  metrics.memory_events = &events;
  metrics.io = &io;
  metrics.network = cards;
  metrics.n_network = fill_card (stats, &card) ? 1 : 0;
  pack_into (&metrics.base, "io.containerd.cgroups.v2.Metrics", ret_any);
}

void
dn_metrics_fill (DnMetricsVersion version, JsonObject *stats, guint64 oom_kills, Pb__Any *ret_any)
{
  if (version == DN_METRICS_V1)
    fill_v1 (stats, oom_kills, ret_any);
  else
    fill_v2 (stats, oom_kills, ret_any);
}
