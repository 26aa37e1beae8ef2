/*
 * Building stored environments.
 */
#include "postgres.h"
#include "compat.h"

#include "utils/memutils.h"

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

/* Writes the answers of one feature context; the current memory context is for scraps. */
static void
make_answer_set(StoredEnvironment *stored, const SourceEnvironment *loaded,
                const FlagResult *base)
{
	FeatureContext *feature = unconstify(FeatureContext *, base->feature);
	/* what the source wrote: digits */
	int place = strtol(feature->attributes.data, NULL, 10);

	feature->answers = answers_make(base, &loaded->attributes[place],
	                                stored->hide_sensitive_data, stored->context);
	MemoryContextReset(CurrentMemoryContext);
}

/* What a document needs beside the flags, and flags that are longer than their default. */
#define DOCUMENT_ROOM 2048

/* Writes the answers of all defaults and all segments' overrides; likewise. */
static void
make_answers(StoredEnvironment *stored, const SourceEnvironment *loaded)
{
	Environment *environment = stored->environment;

	for (uint32 i = 0; i < environment->noutputs; i++)
	{
		const Flag *flag = &environment->flags[environment->outputs[i].flag];
		FlagResult base = evaluation_default(flag);

		make_answer_set(stored, loaded, &base);
		stored->document_size += answer_of(&base)->document.len + 1;
	}
	stored->document_size += DOCUMENT_ROOM;
	for (uint32 i = 0; i < environment->nsegments; i++)
	{
		Segment *segment = &environment->segments[i];

		for (uint32 j = 0; j < segment->noverrides; j++)
		{
			FeatureContext *feature = &segment->overrides[j].feature;
			FlagResult base = {&environment->flags[segment->overrides[j].flag], feature,
			                   segment, VARIANT_NONE, REASON_TARGETING_MATCH};

			make_answer_set(stored, loaded, &base);
		}
	}
}

/* Compiles one state of a list; the current memory context is for scraps. */
static void
add_listed(StoredEnvironment *stored, const SourceEnvironment *loaded,
           const JsonValue *json, const Path *path)
{
	FlagResult *result = &stored->listed[stored->nlisted];
	MemoryContext old = MemoryContextSwitchTo(stored->context);
	FeatureContext *feature = palloc(sizeof(FeatureContext));
	EngineError error;
	int place;

	if (!feature_compile(json, path, feature, &error))
		report_engine_error(&error, "stored flags");
	MemoryContextSwitchTo(old);
	place = strtol(feature->attributes.data, NULL, 10);
	*result = (FlagResult){environment_flag(stored->environment, feature->name), feature,
	                       NULL, VARIANT_NONE, REASON_STATIC};
	if (result->flag == NULL)
		return;
	feature->answers = answers_make(result, &loaded->listed_attributes[place],
	                                stored->hide_sensitive_data, stored->context);
	stored->nlisted++;
}

/* Compiles the states of a list that is not that of the defaults; likewise. */
static void
make_list(StoredEnvironment *stored, const SourceEnvironment *loaded)
{
	Path root = PATH_ROOT;
	JsonValue list;
	EngineError error;

	if (!json_parse(loaded->listed, &list, &error))
		report_engine_error(&error, "stored flags");
	stored->listed =
		MemoryContextAlloc(stored->context, sizeof(FlagResult) * Max(list.count, 1));
	for (uint32 i = 0; i < list.count; i++)
	{
		Path path = path_element(&root, i);

		add_listed(stored, loaded, &list.elements[i], &path);
	}
}

/* Copies what was loaded into an empty environment's own context. */
static StoredEnvironment *
create_stored(EnvironmentId id, const SourceEnvironment *loaded)
{
	/* many small pieces that are freed together: no rounding up */
	MemoryContext context = GenerationContextCreate(
		CurrentMemoryContext, "flagsmith environment", ALLOCSET_SMALL_SIZES);
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
		make_answers(stored, &loaded);
		if (loaded.listed.data != NULL)
			make_list(stored, &loaded);
	}
	MemoryContextSwitchTo(parent);
	MemoryContextDelete(scratch);
	return stored;
}
