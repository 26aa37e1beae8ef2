/*
 * Compiling environments.
 *
 * The names of features, of overridden features and of flags that conditions read are
 * numbered in one table; when all have been seen, the flags are laid out by number.
 */
#include "environment.h"

#include "shape.h"

/* What compiling passes around. */
typedef struct Compiler
{
	Environment *environment;
	const JsonValue *context;
	EngineError *error;
} Compiler;

Environment *
environment_create(void)
{
	Environment *environment = palloc0(sizeof(Environment));

	environment->flag_names = strtable_create(64);
	environment->traits = strtable_create(16);
	return environment;
}

/* Finds the object `name` of the context, whose members are features or segments. */
static bool
find_map(Compiler *compiler, Str name, const JsonValue **map)
{
	Path root = PATH_ROOT;

	if (!shape_optional(compiler->context, name, SHAPE_OR_NULL(JSON_OBJECT), &root, map,
	                    compiler->error))
		return false;
	if (*map != NULL && (*map)->type == JSON_NULL)
		*map = NULL;
	return true;
}

static bool
compile_features(Compiler *compiler)
{
	Environment *environment = compiler->environment;
	Path root = PATH_ROOT;
	Path features_path = path_member(&root, STR("features"));
	const JsonValue *map;

	if (!find_map(compiler, STR("features"), &map))
		return false;
	if (map == NULL)
		return true;
	environment->features = palloc0(sizeof(FeatureContext) * Max(map->count, 1));
	environment->nfeatures = map->count;
	for (uint32 i = 0; i < map->count; i++)
	{
		Path step = path_member(&features_path, map->members[i].name);

		engine_check_interrupts();
		if (!feature_compile(&map->members[i].value, &step, &environment->features[i],
		                     compiler->error))
			return false;
		if (!str_equal(map->members[i].name, environment->features[i].name))
			strtable_add_copy(environment->flag_names, map->members[i].name);
		strtable_add(environment->flag_names, environment->features[i].name);
	}
	return true;
}

static bool
compile_segments(Compiler *compiler)
{
	Environment *environment = compiler->environment;
	Path root = PATH_ROOT;
	Path segments_path = path_member(&root, STR("segments"));
	SegmentScope scope = {.root = compiler->context,
	                      .traits = environment->traits,
	                      .flags = environment->flag_names};
	const JsonValue *map;

	if (!find_map(compiler, STR("segments"), &map))
		return false;
	if (map == NULL)
		return true;
	environment->segments = palloc0(sizeof(Segment) * Max(map->count, 1));
	environment->nsegments = map->count;
	for (uint32 i = 0; i < map->count; i++)
	{
		Path step = path_member(&segments_path, map->members[i].name);

		if (!segment_compile(&map->members[i].value, &step, &scope,
		                     &environment->segments[i], compiler->error))
			return false;
		environment->reads_flags |= environment->segments[i].reads_flags;
	}
	environment->needs_root = scope.needs_root;
	return true;
}

/* Gives each flag its default: the feature under that name in the context. */
static void
lay_out_features(Environment *environment, const JsonValue *context)
{
	const JsonValue *map = json_get(context, STR("features"));

	for (uint32 i = 0; i < environment->nfeatures; i++)
	{
		int64 number = strtable_find(environment->flag_names, map->members[i].name);
		Flag *flag = &environment->flags[number];

		flag->name = str_equal(map->members[i].name, environment->features[i].name)
		                 ? environment->features[i].name
		                 : str_copy(map->members[i].name);
		flag->feature = &environment->features[i];
	}
}

/* Lists, for each flag, its overrides in the order of the segments. */
static void
lay_out_overrides(Environment *environment)
{
	for (int pass = 0; pass < 2; pass++)
		for (uint32 i = 0; i < environment->nsegments; i++)
		{
			Segment *segment = &environment->segments[i];

			for (uint32 j = 0; j < segment->noverrides; j++)
			{
				Flag *flag = &environment->flags[segment->overrides[j].flag];

				if (pass == 1)
				{
					if (flag->overrides == NULL)
					{
						flag->overrides = palloc(sizeof(Override) * flag->noverrides);
						flag->noverrides = 0;
					}
					flag->overrides[flag->noverrides] =
						(Override){i, &segment->overrides[j].feature};
				}
				flag->noverrides++;
			}
		}
}

/*
 * Lists the result's flags in the order of the features.  They go by the features' own
 * names, which need not be the names that the context lists them under: of several with
 * one name the first gives the place, and the default is the one listed under that name.
 */
static void
lay_out_outputs(Environment *environment)
{
	environment->outputs = palloc(sizeof(Output) * Max(environment->nfeatures, 1));
	for (uint32 i = 0; i < environment->nfeatures; i++)
	{
		const FeatureContext *feature = &environment->features[i];
		uint32 number = strtable_find(environment->flag_names, feature->name);
		Flag *flag = &environment->flags[number];

		if (flag->output < 0)
			flag->output = environment->noutputs++;
		flag->name = feature->name;
		environment->outputs[flag->output] =
			(Output){number, flag->feature != NULL ? flag->feature : feature};
	}
}

/* Finds, for each name, the first segment that bears it. */
static void
lay_out_names(Environment *environment)
{
	environment->segment_names = strtable_create(environment->nsegments);
	environment->named_segments = palloc(sizeof(uint32) * Max(environment->nsegments, 1));
	for (uint32 i = environment->nsegments; i-- > 0;)
		environment->named_segments[strtable_add(environment->segment_names,
		                                         environment->segments[i].name)] = i;
}

bool
environment_compile(Environment *environment, const JsonValue *context,
                    EngineError *error)
{
	Compiler compiler = {environment, context, error};
	Path root = PATH_ROOT;

	if (!shape_check(context, SHAPE(JSON_OBJECT), &root, error) ||
	    !compile_features(&compiler) || !compile_segments(&compiler))
		return false;

	environment->nflags = strtable_count(environment->flag_names);
	environment->flags = palloc0(sizeof(Flag) * Max(environment->nflags, 1));
	for (uint32 i = 0; i < environment->nflags; i++)
		environment->flags[i].output = -1;
	lay_out_features(environment, context);
	lay_out_overrides(environment);
	lay_out_outputs(environment);
	lay_out_names(environment);
	environment->trait_names = strtable_texts(environment->traits);
	if (environment->needs_root)
		environment->root = json_copy(context);
	return true;
}

void
environment_release(Environment *environment)
{
	for (uint32 i = 0; i < environment->nsegments; i++)
		segment_release(&environment->segments[i]);
}

const Flag *
environment_flag(const Environment *environment, Str name)
{
	int64 number = strtable_find(environment->flag_names, name);

	return number < 0 || environment->flags[number].output < 0
	           ? NULL
	           : &environment->flags[number];
}

const Segment *
environment_segment(const Environment *environment, Str name)
{
	int64 number = strtable_find(environment->segment_names, name);

	return number < 0 ? NULL
	                  : &environment->segments[environment->named_segments[number]];
}
