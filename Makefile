# Danchi's one makefile.  `make help` lists the targets.
#
# A directory is a program (or a library of the tree), and every .c in it belongs to it:
#   protocol/           the wire, libc only, compiled for host and guest
#   guest-agent/mapper/ block devices out of others, libc only, for init and agent
#   launcher/base/      libc only, for every host program
#   launcher/confined/  how the relay and its like give up their rights, and what they share
#   launcher/common/    GLib and json-glib, for danchi and danchid
#   launcher/guest/     guests through libvirt, for danchid
#   launcher/binds/     directories of the host's in containers, for danchid
#   launcher/health/    whether containers do their work, and starting them again, for danchid
#   launcher/images/    images: taken in, unpacked by a guest, kept, for danchid
#   launcher/limits/    what guests and containers may take, for danchid
#   launcher/network/   guests' networks: addresses, what the gateway is told, for danchid
#   launcher/secrets/   secrets and configuration files of containers, for danchid
#   launcher/verify/    what was promised against what is, for danchid; pure but for host-*.c
#   launcher/survey/    what a host runs and allows, and what an auditor should mind, for danchi
#   launcher/record/    the audit record: its chain, its check, its writer, for danchid and danchi
#   launcher/spec/      from wishes to an OCI config.json and a seccomp filter, for danchid; pure
#   launcher/report/    the audit's document as text and as a page, for danchi; pure
#   launcher/session/   an ordinary user's own Danchi: its namespaces and what runs in them
#   launcher/{cli,daemon,relay,resolver,publish,intake,gateway,share,shim}/,
#   guest-agent/{init,agent,keeper,unpack}/   the programs

SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -ec
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc)
endif
TOP := $(CURDIR)

# MODE=asan builds the same things under ASan and UBSan, beside the others.
MODE ?= release
B := build$(if $(filter-out release,$(MODE)),/$(MODE))
PREFIX ?= /usr
CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif

# V=1 shows the whole commands.
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' '$(1)' '$(2)')

VERSION := 0.1.0
HOST_PKGS := glib-2.0 gio-unix-2.0 json-glib-1.0
DAEMON_PKGS := $(HOST_PKGS) libvirt libvirt-glib-1.0 libseccomp libcap-ng nettle

GATEWAY_PKGS := libnl-route-3.0 libnftables

WARN := -Wall -Wextra -Wshadow -Wswitch-enum -Wmissing-prototypes -Wformat=2 -Wvla -Wundef \
        $(if $(CI),-Werror)
FLAGS.release := -O2 -g -D_FORTIFY_SOURCE=2
FLAGS.asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
BASE_CFLAGS := -std=gnu17 -D_GNU_SOURCE -DDN_VERSION='"$(VERSION)"' -DDN_PREFIX='"$(PREFIX)"' \
               $(WARN) $(FLAGS.$(MODE)) -fstack-protector-strong -fstack-clash-protection \
               -fcf-protection
HOST_CFLAGS := $(BASE_CFLAGS) -fPIE
HOST_LDFLAGS := -pie -Wl,-z,relro,-z,now,-z,noexecstack
GUEST_CFLAGS := $(BASE_CFLAGS) -fPIE
GUEST_LDFLAGS := $(if $(filter asan,$(MODE)),-pie,-static-pie) -Wl,-z,relro,-z,now,-z,noexecstack

# Every object depends on this file, which says how objects are made here; it is written anew only when
# that has changed (other PREFIX, VERSION, CC, warnings), so that a second `make` does nothing.
FLAGS_FILE := $(B)/flags

pkg_cflags = $(shell pkg-config --cflags $(1) 2>/dev/null)
pkg_libs = $(shell pkg-config --libs $(1) 2>/dev/null)
sources = $(sort $(wildcard $(1)/*.c))
host_objs = $(patsubst %.c,$(B)/host/%.o,$(1))
guest_objs = $(patsubst %.c,$(B)/guest/%.o,$(1))

PROTOCOL_SRC := $(call sources,protocol)
BASE_SRC := $(call sources,launcher/base)
COMMON_SRC := $(call sources,launcher/common)
RECORD_SRC := $(call sources,launcher/record)
CLI_SRC := $(call sources,launcher/cli) $(call sources,launcher/report) \
           $(call sources,launcher/survey) $(RECORD_SRC)
# What danchid is made of, beside the record.
DAEMON_ROOMS := binds daemon guest health images limits network pods secrets spec verify volumes
DAEMON_SRC := $(foreach room,$(DAEMON_ROOMS),$(call sources,launcher/$(room))) $(RECORD_SRC)
CONFINED_SRC := $(call sources,launcher/confined)
RELAY_SRC := $(call sources,launcher/relay)
RESOLVER_SRC := $(call sources,launcher/resolver)
PUBLISH_SRC := $(call sources,launcher/publish)
INTAKE_SRC := $(call sources,launcher/intake)
GATEWAY_SRC := $(call sources,launcher/gateway) launcher/network/plan.c launcher/network/gateway-order.c
SHARE_SRC := $(call sources,launcher/share)
SESSION_SRC := $(call sources,launcher/session)
SHIM_SRC := $(call sources,launcher/shim)
# Its messages, written by protoc-c; the same in every MODE.
PB := build/gen/shim
PB_NAMES := $(patsubst launcher/shim/proto/%.proto,%,$(sort $(wildcard launcher/shim/proto/*.proto)))
PB_SRC := $(PB_NAMES:%=$(PB)/%.pb-c.c)
# In both: block devices that the kernel checks.
MAPPER_SRC := $(call sources,guest-agent/mapper)
INIT_SRC := $(call sources,guest-agent/init) $(MAPPER_SRC)
AGENT_SRC := $(call sources,guest-agent/agent) $(MAPPER_SRC)
UNPACK_SRC := $(call sources,guest-agent/unpack)
KEEPER_SRC := $(call sources,guest-agent/keeper)

HOST_PROGRAMS := $(B)/bin/danchi $(B)/bin/danchid $(B)/bin/danchi-relay $(B)/bin/danchi-publish \
                 $(B)/bin/danchi-resolver $(B)/bin/danchi-intake $(B)/bin/danchi-gateway \
                 $(B)/bin/danchi-share $(B)/bin/danchi-session $(B)/bin/containerd-shim-danchi-v2 \
                 $(B)/bin/danchi-share-pod.so
GUEST_PROGRAMS := $(B)/guest/bin/init $(B)/guest/bin/danchi-agent $(B)/guest/bin/danchi-unpack \
                  $(B)/guest/bin/danchi-keeper

.PHONY: all
all: programs images  ## builds everything into build/

.PHONY: programs
programs: deps $(HOST_PROGRAMS) $(GUEST_PROGRAMS) $(B)/build-tree

# Tells a program that it runs from a build tree (launcher/common/paths.h); written anew where a tree
# was moved or copied.
ifneq ($(file <$(B)/build-tree),$(TOP))
$(B)/build-tree: FORCE
endif
$(B)/build-tree: | $(B)/bin
	echo '$(TOP)' > $@

$(B)/bin $(B)/guest/bin $(B)/tests:
	mkdir -p $@

$(B)/bin/danchi: $(call host_objs,$(CLI_SRC) $(COMMON_SRC) $(BASE_SRC) $(PROTOCOL_SRC)) | $(B)/bin
	$(call say,LINK,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(HOST_LDFLAGS) -o $@ $^ $(call pkg_libs,$(HOST_PKGS)) $(LDLIBS)

$(B)/bin/danchid: $(call host_objs,$(DAEMON_SRC) $(COMMON_SRC) $(BASE_SRC) $(PROTOCOL_SRC)) | $(B)/bin
	$(call say,LINK,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(HOST_LDFLAGS) -o $@ $^ $(call pkg_libs,$(DAEMON_PKGS)) -lacl $(LDLIBS)

# No GLib, no json-glib, no libvirt: see launcher/confined/lockdown.h.
$(B)/bin/danchi-relay: $(call host_objs,$(RELAY_SRC) $(CONFINED_SRC) $(BASE_SRC) $(PROTOCOL_SRC)) | $(B)/bin
	$(call say,LINK,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(HOST_LDFLAGS) -o $@ $^ -lseccomp -lcap-ng $(LDLIBS)

# Of libraries only what reads and writes DNS messages, besides those of the relay.
$(B)/bin/danchi-resolver: $(call host_objs,$(RESOLVER_SRC) $(CONFINED_SRC) $(BASE_SRC) $(PROTOCOL_SRC)) | $(B)/bin
	$(call say,LINK,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(HOST_LDFLAGS) -o $@ $^ -lldns -lseccomp -lcap-ng $(LDLIBS)

# Likewise for the clients of published ports: launcher/publish/publisher.h.
$(B)/bin/danchi-publish: $(call host_objs,$(PUBLISH_SRC) $(CONFINED_SRC) $(BASE_SRC) $(PROTOCOL_SRC)) | $(B)/bin
	$(call say,LINK,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(HOST_LDFLAGS) -o $@ $^ -lseccomp -lcap-ng $(LDLIBS)

# What registries, signers and scanners say is read here, in a jail: launcher/intake/jail.h.
$(B)/bin/danchi-intake: $(call host_objs,$(INTAKE_SRC) $(COMMON_SRC) $(BASE_SRC) $(PROTOCOL_SRC)) | $(B)/bin
	$(call say,LINK,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(HOST_LDFLAGS) -o $@ $^ $(call pkg_libs,$(HOST_PKGS)) -lseccomp -lcap-ng \
	  -lcrypto $(LDLIBS)

# The only one with a right over the host's network: launcher/gateway/lockdown.h.
$(B)/bin/danchi-gateway: $(call host_objs,$(GATEWAY_SRC) $(CONFINED_SRC) $(BASE_SRC) $(PROTOCOL_SRC)) | $(B)/bin
	$(call say,LINK,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(HOST_LDFLAGS) -o $@ $^ $(call pkg_libs,$(GATEWAY_PKGS)) -lseccomp -lcap-ng \
	  $(LDLIBS)

# Starts virtiofsd in its jail, and puts directories of the host's into its share: launcher/share/start.h.
$(B)/bin/danchi-share: $(call host_objs,$(SHARE_SRC) launcher/confined/allowlist.c $(BASE_SRC) $(PROTOCOL_SRC)) | $(B)/bin
	$(call say,LINK,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(HOST_LDFLAGS) -o $@ $^ -lseccomp -lcap-ng $(LDLIBS)

# Loaded into the virtiofsd of a pod's share, which is no program of ours: so never with a sanitizer.
$(B)/bin/danchi-share-pod.so: $(wildcard launcher/share/preload/*.[ch]) $(FLAGS_FILE) | $(B)/bin
	$(call say,LINK,$@)
	$(Q)$(CC) $(filter-out -fsanitize% -fno-sanitize%,$(BASE_CFLAGS)) -fvisibility=hidden -fPIC -shared \
	  -Wl,-z,relro,-z,now,-z,noexecstack -o $@ $(filter %.c,$^)

# No rights but a user's own: launcher/session/keeper.h.
$(B)/bin/danchi-session: $(call host_objs,$(SESSION_SRC) $(COMMON_SRC) $(BASE_SRC) $(PROTOCOL_SRC)) | $(B)/bin
	$(call say,LINK,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(HOST_LDFLAGS) -o $@ $^ $(call pkg_libs,$(HOST_PKGS)) $(LDLIBS)

# Between containerd and danchid: launcher/shim/main.c.
$(B)/bin/containerd-shim-danchi-v2: $(call host_objs,$(SHIM_SRC) $(PB_SRC) $(COMMON_SRC) $(BASE_SRC) $(PROTOCOL_SRC)) | $(B)/bin
	$(call say,LINK,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(HOST_LDFLAGS) -o $@ $^ $(call pkg_libs,$(HOST_PKGS) libprotobuf-c) $(LDLIBS)

$(PB_NAMES:%=$(PB)/%.pb-c.c) $(PB_NAMES:%=$(PB)/%.pb-c.h) &: $(wildcard launcher/shim/proto/*.proto) | deps
	@mkdir -p $(PB)
	$(call say,PROTO,$(PB))
	$(Q)protoc-c --proto_path=launcher/shim/proto --c_out=$(PB) $(wildcard launcher/shim/proto/*.proto)

# What includes the messages, tests too, needs them written first.
$(foreach room,host fuzz,$(patsubst %.c,$(B)/$(room)/%.o,$(SHIM_SRC) \
  $(wildcard tests/unit/test-shim-*.c tests/fuzz/fuzz-shim-*.c))): $(PB_SRC)
$(B)/host/launcher/shim/%.o $(B)/host/tests/unit/test-shim-%.o $(B)/host/$(PB)/%.o: \
  CPPFLAGS += -Ibuild/gen -I$(PB) $(call pkg_cflags,$(HOST_PKGS) libprotobuf-c)
$(B)/fuzz/launcher/shim/%.o $(B)/fuzz/tests/fuzz/fuzz-shim-%.o $(B)/fuzz/$(PB)/%.o: \
  CPPFLAGS += -Ibuild/gen -I$(PB) $(call pkg_cflags,$(HOST_PKGS) libprotobuf-c)

$(B)/guest/bin/init: $(call guest_objs,$(INIT_SRC) $(PROTOCOL_SRC)) | $(B)/guest/bin
	$(call say,LINK,$@)
	$(Q)$(CC) $(GUEST_CFLAGS) $(GUEST_LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/guest/bin/danchi-agent: $(call guest_objs,$(AGENT_SRC) $(PROTOCOL_SRC)) | $(B)/guest/bin
	$(call say,LINK,$@)
	$(Q)$(CC) $(GUEST_CFLAGS) $(GUEST_LDFLAGS) -o $@ $^ -ljansson $(LDLIBS)

# It runs in an empty root, where no sanitizer's library is: in every MODE as it is released.
$(B)/guest/bin/danchi-keeper: GUEST_CFLAGS := $(subst $(FLAGS.$(MODE)),$(FLAGS.release),$(GUEST_CFLAGS))
$(B)/guest/bin/danchi-keeper: GUEST_LDFLAGS := $(patsubst -pie,-static-pie,$(GUEST_LDFLAGS))
$(B)/guest/bin/danchi-keeper: $(call guest_objs,$(KEEPER_SRC)) | $(B)/guest/bin
	$(call say,LINK,$@)
	$(Q)$(CC) $(GUEST_CFLAGS) $(GUEST_LDFLAGS) -o $@ $^ $(LDLIBS)

# The only program of ours with an archive parser, in the unpack guest's root alone.
$(B)/guest/bin/danchi-unpack: $(call guest_objs,$(UNPACK_SRC) $(PROTOCOL_SRC)) | $(B)/guest/bin
	$(call say,LINK,$@)
	$(Q)$(CC) $(GUEST_CFLAGS) $(GUEST_LDFLAGS) -o $@ $^ -larchive -ljansson -lnettle -lz -lzstd \
	  $(LDLIBS)

$(foreach room,$(DAEMON_ROOMS),$(B)/host/launcher/$(room)/%.o): \
  CPPFLAGS += $(call pkg_cflags,$(DAEMON_PKGS))
$(B)/host/launcher/cli/%.o $(B)/host/launcher/common/%.o $(B)/host/launcher/record/%.o \
  $(B)/host/launcher/intake/%.o $(B)/host/launcher/session/%.o \
  $(B)/host/launcher/report/%.o $(B)/host/launcher/survey/%.o: \
  CPPFLAGS += $(call pkg_cflags,$(HOST_PKGS))

$(B)/host/launcher/gateway/%.o: CPPFLAGS += $(call pkg_cflags,$(GATEWAY_PKGS))

# The style sheet is compiled in.
$(B)/host/launcher/report/style.o $(B)/fuzz/launcher/report/style.o: launcher/report/page.css

# deps is order-only: libraries come first, but their presence rebuilds nothing.
$(B)/host/%.o: %.c $(FLAGS_FILE) | deps
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(HOST_CFLAGS) $(CPPFLAGS) -MMD -MP -c -o $@ $<

$(B)/guest/%.o: %.c $(FLAGS_FILE) | deps
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(GUEST_CFLAGS) $(CPPFLAGS) -MMD -MP -c -o $@ $<

-include $(shell find $(B)/host $(B)/guest $(B)/fuzz -type f -name '*.d' 2>/dev/null)

include images/images.mk
include tests/tests.mk

# Expanded here and not in the recipe: what an object adds to CPPFLAGS reaches its prerequisites too.
# Compared while make reads this, so that `make -n` tells the truth and changes nothing.
FLAGS_NOW := CC=$(CC) CPPFLAGS=$(CPPFLAGS) LDLIBS=$(LDLIBS) \
  host: $(HOST_CFLAGS) $(HOST_LDFLAGS) guest: $(GUEST_CFLAGS) $(GUEST_LDFLAGS) \
  fuzz: $(FUZZ_CC) $(FUZZ_CFLAGS) probe: $(PROBE_CFLAGS)
ifneq ($(file <$(FLAGS_FILE)),$(FLAGS_NOW))
$(FLAGS_FILE): FORCE
endif
$(FLAGS_FILE):
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(FLAGS_NOW))' > $@

.PHONY: FORCE
FORCE:

.PHONY: deps
deps:  ## installs the Debian packages that deps.txt lists, only what is missing
	@./tests/tools/deps.sh deps.txt

.PHONY: host
host: programs  ## makes this machine able to run guests: libvirt running, danchid startable
	@./tests/tools/host.sh start

.PHONY: demo
demo:  ## from nothing to two tenants in two guests, and away again
	@./tests/demo/demo.sh

.PHONY: lint
lint: deps  ## layout, licence lines, cppcheck, shellcheck, Python's compiler
	@./tests/tools/lint.sh

.PHONY: loc
loc:  ## lines of code of each part, by the rights with which it runs
	@./tests/tools/loc.py

# Installs what `make` has built; as a package builder expects, it builds nothing itself but checks.
.PHONY: install
install: all $(RED_IMAGE)  ## installs below DESTDIR and PREFIX
	./config/install.sh '$(B)' '$(DESTDIR)' '$(PREFIX)'

.PHONY: deb
deb: all $(RED_IMAGE)  ## makes build/danchi_VERSION_amd64.deb
	./config/debian/build.sh '$(B)' '$(VERSION)' '$(PREFIX)'

.PHONY: format
format:  ## lays out all C files
	clang-format -i $$(git ls-files -co --exclude-standard '*.c' '*.h')

.PHONY: clean
clean:  ## removes build/
	rm -rf build

.PHONY: help
help:  ## this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 20
