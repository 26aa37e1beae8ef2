/*
 * What the parts of the attached source share.
 *
 * Their queries follow those of Flagsmith 2.265, state by state: what is live under
 * either way of versioning, and which of two states counts.  Flagsmith saves one change
 * in many transactions, and each state in between is one that must be answered from:
 * hence outer joins to values, and to segments that are only half there.
 */
#ifndef FLAGSMITH_ATTACHED_H
#define FLAGSMITH_ATTACHED_H

#include "attachment.h"
#include "context_rows.h"
#include "source.h"

/* The value of a row of features_featurestatevalue or multivariate_..option, as JSON:
 * in the column that its type names; the others are stale. */
#define ATTACHED_VALUE(row)                                                              \
	"CASE " row ".type WHEN 'int' THEN to_json(" row ".integer_value)"                   \
	" WHEN 'bool' THEN to_json(" row ".boolean_value)"                                   \
	" ELSE to_json(" row ".string_value) END"

/* A percentage as Python writes it, who has a float for it. */
#define ATTACHED_PERCENTAGE(column)                                                      \
	"concat(" column ", CASE WHEN " column " = trunc(" column ") THEN '.0' END)"

/* The versions of features in environment $1 that are live. */
#define ATTACHED_LATEST_VERSIONS                                                         \
	"SELECT v.uuid FROM @.feature_versioning_environmentfeatureversion v JOIN ("         \
	"SELECT feature_id, max(live_from) AS live_from"                                     \
	" FROM @.feature_versioning_environmentfeatureversion WHERE environment_id = $1"     \
	" AND deleted_at IS NULL AND published_at IS NOT NULL AND live_from <= now()"        \
	" GROUP BY feature_id) l USING (feature_id, live_from) WHERE v.environment_id = $1"

/*
 * The live states of environment $1, overrides of identities aside; $2: whether its
 * features have versions.  Of what has no versions, the latest state counts of those that
 * the filter leaves.
 */
#define ATTACHED_LIVE_STATES(filter)                                                     \
	"SELECT DISTINCT ON (feature_id, coalesce(feature_segment_id, 0)) * FROM ("          \
	"SELECT id, uuid, feature_id, environment_id, feature_segment_id, enabled,"          \
	" mv_hashing_salt, live_from, version FROM @.features_featurestate"                  \
	" WHERE NOT $2 AND environment_id = $1 AND identity_id IS NULL"                      \
	" AND deleted_at IS NULL AND live_from <= now() AND version IS NOT NULL" filter      \
	" UNION ALL "                                                                        \
	"SELECT id, uuid, feature_id, environment_id, feature_segment_id, enabled,"          \
	" mv_hashing_salt, NULL, NULL FROM @.features_featurestate"                          \
	" WHERE $2 AND environment_id = $1 AND identity_id IS NULL AND deleted_at IS NULL"   \
	" AND environment_feature_version_id IN (" ATTACHED_LATEST_VERSIONS ")" filter       \
	") state ORDER BY feature_id, coalesce(feature_segment_id, 0), live_from DESC,"      \
	" version DESC, id"

/* The columns of context_rows.h, of a state s, its value v and its feature f, where
 * a boolean parameter says whether to hide sensitive data. */
#define ATTACHED_STATE_COLUMNS(segment, priority, feature_segment, hide, identity)              \
	"SELECT s.id::bigint, " segment                                                             \
	", 0, f.name, coalesce(s.mv_hashing_salt, s.id)::text,"                                     \
	" s.enabled, " ATTACHED_VALUE(                                                              \
		"v") ", " priority ", f.id::bigint, s.id::bigint, " feature_segment                     \
			 ", f.type, f.is_server_key_only,"                                                  \
			 " CASE WHEN " hide " THEN ',\"created_date\":null,\"description\":null,"           \
			 "\"initial_value\":null,\"default_enabled\":null' ELSE"                            \
			 " concat(',\"created_date\":', to_json(to_char(f.created_date AT TIME ZONE 'UTC'," \
			 " 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')), ',\"description\":',"                     \
			 " coalesce(to_json(f.description)::text, 'null'), ',\"initial_value\":',"          \
			 " coalesce(to_json(f.initial_value)::text, 'null'), ',\"default_enabled\":',"      \
			 " to_json(f.default_enabled)) END,"                                                \
			 " CASE WHEN " hide " THEN ',\"environment\":null,\"identity\":null' ELSE"          \
			 " concat(',\"environment\":', s.environment_id, ',\"identity\":', " identity       \
			 ") END"

/* The shares of the rows' states; new in the current memory context. */
extern QueryRows attached_read_shares(const QueryRows *states);

/* Their column as a bigint[]. */
extern Datum attached_ids(const QueryRows *rows, int column);

/* The segments of an environment, but for their rules. */
extern QueryRows attached_read_segments(int64 environment_id);

/* Their rules as JSON, in their order: as documents have them, or as contexts do. */
extern Str *attached_read_rules(const QueryRows *segments, bool for_document);

/* Fills in the context of an environment and what goes with it, in that memory context. */
extern void attached_read_context(int64 environment_id, bool has_versions,
                                  SourceEnvironment *environment, MemoryContext context);

/* Reads an identity and its traits, without overrides. */
extern void attached_read_stored(int64 environment_id, Str identifier,
                                 SourceIdentity *identity);

/* Members of Source. */
extern bool attached_version(int64 environment_id, SourceVersion *version);
extern void attached_read_identity(int64 environment_id, Str identifier,
                                   bool with_overrides, SourceIdentity *identity);
extern Datum attached_write_traits(int64 environment_id, Str identifier, Datum traits);
extern const char *attached_trait_fault(Str name, const JsonValue *value);
extern Datum attached_document(int64 environment_id);
extern void attached_record_evaluations(int64 environment_id,
                                        const SourceEvaluation *evaluations, int count,
                                        Str labels);
extern void attached_record_usage(const SourceUsage *usage, int count);

#endif
