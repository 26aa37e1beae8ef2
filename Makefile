# Build: make && make install.  Everything else: make test, make demo (see CONTRIBUTING.md).

EXTENSION = flagsmith
MODULE_big = flagsmith
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" flagsmith.control)

OBJS = $(patsubst %.c,%.o,$(wildcard extension/*.c extension/engine/*.c extension/server/*.c))
# the scripts of released versions, and the ways between versions
DATA = $(wildcard extension/flagsmith--*.sql)
DATA_built = flagsmith--$(EXTVERSION).sql

REGRESS = $(patsubst sql/%.sql,%,$(wildcard sql/*.sql))
REGRESS_OPTS = --load-extension=flagsmith
ISOLATION = $(patsubst test/isolation/specs/%.spec,%,$(wildcard test/isolation/specs/*.spec))
ISOLATION_OPTS = --inputdir=test/isolation --load-extension=flagsmith
PROVE_TESTS = $(wildcard test/t/*.pl)
TAP_TESTS = $(if $(PROVE_TESTS),1)

CLANG_FORMAT = clang-format-14
SHELLCHECK = shellcheck
C_FILES = $(wildcard extension/*.[ch] extension/engine/*.[ch] extension/server/*.[ch] \
	test/unit/*.[ch] test/fuzz/*.[ch] api/*.[ch])
SHELL_FILES = $(shell grep -lrE '^\#!/bin/(ba)?sh' .ci bench demo docs pgbouncer test 2>/dev/null) test/lib.sh

# These targets need no PostgreSQL to build against: the first two install it.
PLAIN_TARGETS = api api-asan install-api bench demo demo-up demo-down demo-stop test test-versions \
	check-format check-engine check-versions check-shell

ifneq ($(filter-out $(PLAIN_TARGETS),$(or $(MAKECMDGOALS),all)),)

PG_CPPFLAGS = -Iextension -DFLAGSMITH_VERSION=\"$(EXTVERSION)\" -MMD -MP $(PCRE2_CFLAGS)
PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter -fvisibility=hidden $(if $(WERROR),-Werror)
SHLIB_LINK = $(PCRE2_LIBS)
EXTRA_CLEAN = $(OBJS:.o=.d) build/unit build/unit-asan output_iso tmp_check

# pg_config's flags and attributes were made for gcc; clang says so of each that it lacks.
ifneq ($(findstring clang,$(CC)),)
PG_CFLAGS += -Wno-unknown-warning-option -Wno-ignored-optimization-argument \
	-Wno-ignored-attributes
endif

PCRE2_LIBS := $(shell pkg-config --libs libpcre2-8 2>/dev/null || pcre2-config --libs8 2>/dev/null)
PCRE2_CFLAGS := $(shell pkg-config --cflags libpcre2-8 2>/dev/null || pcre2-config --cflags 2>/dev/null)
ifeq ($(PCRE2_LIBS)$(filter clean distclean uninstall,$(MAKECMDGOALS)),)
$(error PCRE2 (libpcre2-8) was not found: install libpcre2-dev (Debian, Ubuntu) or pcre2-devel (Fedora, RHEL))
endif

# No bitcode: nothing here is small enough to be inlined into a query.
override with_llvm := no

PG_CONFIG = pg_config
# As system headers, so that -Wextra looks at our code only.
PG_CPPFLAGS += -isystem $(shell $(PG_CONFIG) --includedir-server)
PGXS := $(shell $(PG_CONFIG) --pgxs)
ifeq ($(PGXS),)
$(error $(PG_CONFIG) was not found: install PostgreSQL's server headers (postgresql-server-dev-15 or later), or name it as in: make PG_CONFIG=/path/to/pg_config)
endif
include $(PGXS)

-include $(OBJS:.o=.d)
$(OBJS): flagsmith.control

# today's full definition, in the order in which its parts need each other
SQL_PARTS = engine tables caches attach versions contexts documents flags identities keys http roles
flagsmith--$(EXTVERSION).sql: $(SQL_PARTS:%=extension/sql/%.sql) flagsmith.control
	awk 'FNR == 1 && NR > 1 { print "" } { print }' $(filter %.sql,$^) > $@

# Unit tests: each test/unit/test_*.c is a program of its own, linked with the engine as it
# compiles outside of the server.  One alone: make unit UNIT=semver
UNIT = *
UNIT_TESTS = $(patsubst test/unit/%.c,%,$(wildcard test/unit/test_$(UNIT).c))
UNIT_SOURCES = $(wildcard extension/engine/*.c) \
	$(filter-out $(wildcard test/unit/test_*.c),$(wildcard test/unit/*.c))
UNIT_CFLAGS = -DFRONTEND -g -O1 -Wall -Wextra -Wno-unused-parameter $(if $(WERROR),-Werror)
UNIT_LIBS = -L$(pkglibdir) -L$(libdir) -lpgcommon -lpgport $(if $(filter openssl,$(with_ssl)),-lcrypto) \
	$(PCRE2_LIBS) $(shell pkg-config --libs check 2>/dev/null || echo -lcheck -lsubunit -lrt -pthread) -lm
ASAN_CFLAGS = -U_FORTIFY_SOURCE -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=undefined

unit: $(UNIT_TESTS:%=build/unit/%.run)
unit-asan: $(UNIT_TESTS:%=build/unit-asan/%.run)
unit-asan: UNIT_CFLAGS += $(ASAN_CFLAGS)

# palloc() frees nothing outside of the server: a leak there is none.
build/unit%.run: export ASAN_OPTIONS = detect_leaks=0
build/unit%.run: export CK_DEFAULT_TIMEOUT = 120
build/unit%.run: export UBSAN_OPTIONS = print_stacktrace=1

# $(1): the folder that one way of compiling has for itself
define unit_rules
$(1)/%.o: %.c flagsmith.control
	@mkdir -p $$(@D)
	$$(CC) $$(UNIT_CFLAGS) $$(CPPFLAGS) -c -o $$@ $$<

$(1)/engine.a: $$(UNIT_SOURCES:%.c=$(1)/%.o)
	@rm -f $$@
	$$(AR) rcs $$@ $$^

$$(UNIT_TESTS:%=$(1)/%): $(1)/%: $(1)/test/unit/%.o $(1)/engine.a
	$$(CC) $$(UNIT_CFLAGS) -o $$@ $$^ $$(UNIT_LIBS)

.PHONY: $$(UNIT_TESTS:%=$(1)/%.run)
$$(UNIT_TESTS:%=$(1)/%.run): %.run: %
	@echo "== $$(<F)"; $$<

-include $$(UNIT_SOURCES:%.c=$(1)/%.d) $$(UNIT_TESTS:%=$(1)/test/unit/%.d)
endef
$(eval $(call unit_rules,build/unit))
$(eval $(call unit_rules,build/unit-asan))
.SECONDARY:

distclean: remove-build
.PHONY: remove-build unit unit-asan
remove-build:
	rm -rf build

endif

.PHONY: $(PLAIN_TARGETS)

# The API instance, a program of its own; with ASan and UBSan: make api-asan
API_PACKAGES = libpq libevent_core zlib jansson
API_CFLAGS = -std=gnu11 -O2 -g -Wall -Wextra $(if $(WERROR),-Werror) -D_GNU_SOURCE \
	-DFLAGSMITH_VERSION=\"$(EXTVERSION)\"
API_BUILD = $(CC) $(API_CFLAGS) $(CPPFLAGS) $(shell pkg-config --cflags $(API_PACKAGES)) -o $@ $(filter %.c,$^) \
	$(shell pkg-config --libs $(API_PACKAGES)) -lhttp_parser
api: api/flagsmith-api
api/flagsmith-api: $(wildcard api/*.[ch])
	$(API_BUILD)

api-asan: build/flagsmith-api-asan
build/flagsmith-api-asan: API_CFLAGS += -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
build/flagsmith-api-asan: $(wildcard api/*.[ch])
	@mkdir -p $(@D)
	$(API_BUILD)

install-api: api
	install -D -m 755 api/flagsmith-api $(DESTDIR)$(or $(PREFIX),/usr/local)/bin/flagsmith-api
	install -D -m 644 api/flagsmith-api.service $(DESTDIR)/etc/systemd/system/flagsmith-api.service

# Whole or in parts: make test PARTS="unit regress"
test:
	@test/run

# The official SDKs against the whole stack; writes the table of docs/sdks.md.
test-sdk:
	@test/sdk/run docs/sdks.md

# pg_regress and isolation on each of these servers.
test-versions:
	@PARTS=versions VERSIONS="$(or $(VERSIONS),15 16 18)" test/run

demo:
	@demo/run

# The same, left running to play with; build/demo.env says where.
demo-up:
	@KEEP=1 demo/run

demo-down demo-stop:
	@demo/run stop

# Every figure that the docs quote; FAST=1 only tries the scripts.
bench:
	@bench/run

check-format:
	$(CLANG_FORMAT) --dry-run -Werror $(C_FILES)

check-engine:
	test/check-engine

check-versions:
	test/check-versions

check-shell:
	$(SHELLCHECK) -x $(SHELL_FILES)
