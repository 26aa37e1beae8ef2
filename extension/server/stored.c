/*
 * Building stored environments.
 */
#include "postgres.h"
#include "compat.h"

#include "utils/datum.h"
#include "utils/memutils.h"

#include "arguments.h"
#include "owned_environment.h"
#include "report.h"
#include "stored.h"

/* Compiles the context, whose tree stays in the current memory context. */
static void
compile(Environment *environment, Str text, MemoryContext context)
{
	MemoryContext old;
	JsonValue json;
	EngineError error;
	bool valid = json_parse(text, &json, &error);

	old = MemoryContextSwitchTo(context);
	if (!valid || !environment_compile(environment, &json, &error))
		report_engine_error(&error, "stored environment");
	MemoryContextSwitchTo(old);
}

/* The reason of a result, in the environment's own context; likewise below, the current one
 * is for scraps. */
static Datum
make_reason(const StoredEnvironment *stored, const FlagResult *result)
{
	Datum reason = answers_reason(result);
	MemoryContext old = MemoryContextSwitchTo(stored->context);

	reason = datumCopy(reason, false, -1);
	MemoryContextSwitchTo(old);
	return reason;
}

/* The name of a result's feature, which overrides have from the default. */
static Datum
make_feature_name(const StoredEnvironment *stored, const FlagResult *result)
{
	const FeatureContext *original = result->flag->feature;
	MemoryContext old;
	Datum name;

	if (original != NULL && original->answers != NULL)
		return answers_of(original)->feature;
	old = MemoryContextSwitchTo(stored->context);
	name = argument_make_text(result->feature->name);
	MemoryContextSwitchTo(old);
	return name;
}

/* Writes the answers of one feature context; its attributes are one of these. */
static void
make_answer_set(const StoredEnvironment *stored, const Attributes *attributes,
                const FlagResult *base, Datum reason)
{
	FeatureContext *feature = unconstify(FeatureContext *, base->feature);
	/* what the source wrote: digits */
	int place = strtol(feature->attributes.data, NULL, 10);
	SharedTexts shared = {make_feature_name(stored, base), reason};

	feature->answers = answers_make(base, shared, &attributes[place],
	                                stored->hide_sensitive_data, stored->context);
}

/* What a document needs beside the flags, and flags that are longer than their default. */
#define DOCUMENT_ROOM 2048

/* Writes the answers of all defaults. */
static void
make_default_answers(StoredEnvironment *stored, const SourceEnvironment *loaded)
{
	const Environment *environment = stored->environment;
	FlagResult results[] = {{.reason = REASON_STATIC}, {.reason = REASON_DEFAULT}};
	Datum reasons[] = {[REASON_STATIC] = make_reason(stored, &results[0]),
	                   [REASON_DEFAULT] = make_reason(stored, &results[1])};

	for (uint32 i = 0; i < environment->noutputs; i++)
	{
		const Flag *flag = &environment->flags[environment->outputs[i].flag];
		FlagResult base = evaluation_default(flag);

		make_answer_set(stored, loaded->attributes, &base, reasons[base.reason]);
		stored->document_size += answer_of(&base)->document.len + 1;
		MemoryContextReset(CurrentMemoryContext);
	}
	stored->document_size += DOCUMENT_ROOM;
}

/* Writes the answers of all segments' overrides, after those of the defaults. */
static void
make_override_answers(const StoredEnvironment *stored, const SourceEnvironment *loaded)
{
	const Environment *environment = stored->environment;

	for (uint32 i = 0; i < environment->nsegments; i++)
	{
		const Segment *segment = &environment->segments[i];
		FlagResult match = {.segment = segment, .reason = REASON_TARGETING_MATCH};
		Datum reason = segment->noverrides == 0 ? (Datum) 0 : make_reason(stored, &match);

		for (uint32 j = 0; j < segment->noverrides; j++)
		{
			const SegmentOverride *override = &segment->overrides[j];
			FlagResult base = {&environment->flags[override->flag], &override->feature,
			                   segment, VARIANT_NONE, REASON_TARGETING_MATCH};

			make_answer_set(stored, loaded->attributes, &base, reason);
			MemoryContextReset(CurrentMemoryContext);
		}
	}
}

/* Compiles one state of a list. */
static void
add_listed(StoredEnvironment *stored, const SourceEnvironment *loaded,
           const JsonValue *json, const Path *path, Datum reason)
{
	FlagResult *result = &stored->listed[stored->nlisted];
	MemoryContext old = MemoryContextSwitchTo(stored->context);
	FeatureContext *feature = palloc(sizeof(FeatureContext));
	EngineError error;

	if (!feature_compile(json, path, feature, &error))
		report_engine_error(&error, "stored flags");
	MemoryContextSwitchTo(old);
	*result = (FlagResult){environment_flag(stored->environment, feature->name), feature,
	                       NULL, VARIANT_NONE, REASON_STATIC};
	if (result->flag == NULL)
		return;
	make_answer_set(stored, loaded->listed_attributes, result, reason);
	stored->nlisted++;
}

/* Compiles the states of a list that is not that of the defaults. */
static void
make_list(StoredEnvironment *stored, const SourceEnvironment *loaded)
{
	Path root = PATH_ROOT;
	FlagResult unconditional = {.reason = REASON_STATIC};
	Datum reason = make_reason(stored, &unconditional);
	JsonValue list;
	EngineError error;

	if (!json_parse(loaded->listed, &list, &error))
		report_engine_error(&error, "stored flags");
	stored->listed =
		MemoryContextAlloc(stored->context, sizeof(FlagResult) * Max(list.count, 1));
	for (uint32 i = 0; i < list.count; i++)
	{
		Path path = path_element(&root, i);

		add_listed(stored, loaded, &list.elements[i], &path, reason);
	}
}

/* What is not used of a large environment's last block counts little. */
#define CONTEXT_BLOCK_SIZE (32 * 1024)

/* Copies what was loaded into an empty environment's own context. */
static StoredEnvironment *
create_stored(EnvironmentId id, const SourceEnvironment *loaded)
{
	/* many small pieces that are freed together: no rounding up */
	MemoryContext context =
		GenerationContextCreate(CurrentMemoryContext, "flagsmith environment", 0,
	                            ALLOCSET_SMALL_INITSIZE, CONTEXT_BLOCK_SIZE);
	MemoryContext old = MemoryContextSwitchTo(context);
	StoredEnvironment *stored = palloc0(sizeof(StoredEnvironment));

	MemoryContextSetIdentifier(context, str_copy(loaded->name).data);
	stored->source = id.source;
	stored->id = id.id;
	stored->context = context;
	stored->api_key = str_copy(loaded->api_key);
	stored->hide_disabled_flags = loaded->hide_disabled_flags;
	stored->hide_sensitive_data = loaded->hide_sensitive_data;
	stored->has_identity_overrides = loaded->has_identity_overrides;
	stored->allow_client_traits = loaded->allow_client_traits;
	stored->persist_trait_data = loaded->persist_trait_data;
	stored->stop_serving_flags = loaded->stop_serving_flags;
	stored->hashes_identity_ids = loaded->hashes_identity_ids;
	stored->orders_by_state = loaded->orders_by_state;
	stored->next_change = loaded->next_change;
	stored->environment = owned_environment_create();
	MemoryContextSwitchTo(old);
	return stored;
}

StoredEnvironment *
stored_build(EnvironmentId id, const SourceVersion *version)
{
	MemoryContext parent = CurrentMemoryContext;
	MemoryContext scratch =
		AllocSetContextCreate(parent, "flagsmith build", ALLOCSET_DEFAULT_SIZES);
	SourceEnvironment loaded;
	StoredEnvironment *stored = NULL;

	MemoryContextSwitchTo(scratch);
	if (id.source->load_environment(id.id, &loaded))
	{
		MemoryContextSwitchTo(parent);
		stored = create_stored(id, &loaded);
		stored->version = *version;
		MemoryContextSwitchTo(scratch);
		compile(stored->environment, loaded.context, stored->context);
		MemoryContextSwitchTo(
			AllocSetContextCreate(scratch, "flagsmith answers", ALLOCSET_DEFAULT_SIZES));
		make_default_answers(stored, &loaded);
		make_override_answers(stored, &loaded);
		if (loaded.listed.data != NULL)
			make_list(stored, &loaded);
	}
	MemoryContextSwitchTo(parent);
	MemoryContextDelete(scratch);
	return stored;
}
