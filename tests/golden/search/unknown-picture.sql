SELECT DISTINCT "kb_audiencemember"."audience_id" AS "audience_id"
FROM "kb_audiencemember"
WHERE ("kb_audiencemember"."everyone"
       OR "kb_audiencemember"."user_id" = %s
       OR "kb_audiencemember"."group_id" IN
         (SELECT U0."id"
          FROM "auth_group" U0
          INNER JOIN "auth_user_groups" U1 ON (U0."id" = U1."group_id")
          WHERE U1."user_id" = %s));

SELECT "kb_vectorset"."id",
       "kb_vectorset"."encoder",
       "kb_vectorset"."revision",
       "kb_vectorset"."modality",
       "kb_vectorset"."dimensions",
       "kb_vectorset"."state",
       "kb_vectorset"."created_at"
FROM "kb_vectorset"
WHERE ("kb_vectorset"."dimensions" = %s
       AND "kb_vectorset"."encoder" = %s
       AND "kb_vectorset"."modality" = %s
       AND "kb_vectorset"."revision" = %s)
ORDER BY "kb_vectorset"."id" ASC
LIMIT 1;

SELECT coalesce(sum(segments) FILTER (
                                      WHERE audience_id = ANY(%(audiences)s)), 0),
       coalesce(sum(segments), 0)
FROM kb_audiencewordtotals;

SELECT v.segment_id,
       1 - (v.embedding::halfvec(704) <=> %(query)s::halfvec(704))
FROM kb_vector v
WHERE v.vector_set_id = N
  AND v.audience_id = ANY(%(audiences)s)
ORDER BY (v.embedding::halfvec(704) <=> %(query)s::halfvec(704)) + 0,
         v.segment_id
LIMIT %(limit)s;

SELECT l.id,
       l.text,
       sum(s.document_frequency),
  (SELECT sum(t.segments)
   FROM kb_audiencewordtotals t
   WHERE t.audience_id = ANY(%(audiences)s))
FROM kb_lexeme l
JOIN kb_lexemestats s ON s.lexeme_id = l.id
WHERE l.text = ANY(%(terms)s)
  AND s.audience_id = ANY(%(audiences)s)
GROUP BY l.id;

SELECT w.segment_id, -(w.impacts <#> %(query)s::sparsevec) AS score
FROM kb_segmentwords w
WHERE w.terms && %(essential)s::int[]
  AND NOT w.terms && %(seen)s::int[]
  AND w.audience_id = ANY(%(audiences)s)
ORDER BY score DESC,
         w.segment_id
LIMIT %(limit)s;

SELECT "kb_segment"."id",
       "kb_segment"."asset_id",
       "kb_segment"."collection_id",
       "kb_segment"."kind",
       "kb_segment"."page",
       "kb_segment"."start_ms",
       "kb_segment"."picture_uri",
       "kb_asset"."id",
       "kb_asset"."source_uri",
       "kb_asset"."media_type"
FROM "kb_segment"
INNER JOIN "kb_asset" ON ("kb_segment"."asset_id" = "kb_asset"."id")
WHERE ("kb_segment"."audience_id" IN
         (SELECT V0."audience_id" AS "audience"
          FROM "kb_audiencemember" V0
          WHERE (V0."everyone"
                 OR V0."user_id" = %s
                 OR V0."group_id" IN
                   (SELECT U0."id"
                    FROM "auth_group" U0
                    INNER JOIN "auth_user_groups" U1 ON (U0."id" = U1."group_id")
                    WHERE U1."user_id" = %s)))
       AND "kb_segment"."id" IN (%s, …))
ORDER BY "kb_segment"."asset_id" ASC,
         "kb_segment"."part" ASC,
         "kb_segment"."ordinal" ASC;

SELECT a.collection_id,
       a.source_uri,
       a.id
FROM unnest(%(places)s::bigint[], %(uris)s::text[]) AS LINK (collection_id,
                                                             source_uri)
JOIN kb_asset a ON a.collection_id = link.collection_id
AND a.source_uri = link.source_uri
WHERE a.version > 0
  AND a.audience_id = ANY(%(audiences)s);

SELECT "kb_asset"."id",
       "kb_asset"."collection_id",
       "kb_asset"."own_audience_id",
       "kb_asset"."audience_id",
       "kb_asset"."title",
       "kb_asset"."source_uri",
       "kb_asset"."parent_id",
       "kb_asset"."parent_version",
       "kb_asset"."sha256",
       "kb_asset"."media_type",
       "kb_asset"."size_bytes",
       "kb_asset"."object_key",
       "kb_asset"."language",
       "kb_asset"."version",
       "kb_asset"."state",
       "kb_asset"."owner_id",
       "kb_asset"."metadata",
       "kb_asset"."created_at",
       "kb_asset"."updated_at"
FROM "kb_asset"
WHERE ("kb_asset"."audience_id" IN
         (SELECT V0."audience_id" AS "audience"
          FROM "kb_audiencemember" V0
          WHERE (V0."everyone"
                 OR V0."user_id" = %s
                 OR V0."group_id" IN
                   (SELECT U0."id"
                    FROM "auth_group" U0
                    INNER JOIN "auth_user_groups" U1 ON (U0."id" = U1."group_id")
                    WHERE U1."user_id" = %s)))
       AND "kb_asset"."id" IN (%s, …))
ORDER BY "kb_asset"."title" ASC,
         "kb_asset"."id" ASC;

SELECT "kb_segment"."id",
       "kb_segment"."asset_id",
       "kb_segment"."version",
       "kb_segment"."audience_id",
       "kb_segment"."collection_id",
       "kb_segment"."kind",
       "kb_segment"."part",
       "kb_segment"."ordinal",
       "kb_segment"."page",
       "kb_segment"."heading_path",
       "kb_segment"."char_start",
       "kb_segment"."char_end",
       "kb_segment"."start_ms",
       "kb_segment"."end_ms",
       "kb_segment"."box",
       "kb_segment"."text",
       "kb_segment"."caption",
       "kb_segment"."alt_text",
       "kb_segment"."ocr_text",
       "kb_segment"."ocr_lines",
       "kb_segment"."language",
       "kb_segment"."picture_key",
       "kb_segment"."thumbnail_key",
       "kb_segment"."width_px",
       "kb_segment"."height_px",
       "kb_segment"."picture_uri"
FROM "kb_segment"
WHERE ("kb_segment"."audience_id" IN
         (SELECT V0."audience_id" AS "audience"
          FROM "kb_audiencemember" V0
          WHERE (V0."everyone"
                 OR V0."user_id" = %s
                 OR V0."group_id" IN
                   (SELECT U0."id"
                    FROM "auth_group" U0
                    INNER JOIN "auth_user_groups" U1 ON (U0."id" = U1."group_id")
                    WHERE U1."user_id" = %s)))
       AND "kb_segment"."id" IN (%s, …))
ORDER BY "kb_segment"."asset_id" ASC,
         "kb_segment"."part" ASC,
         "kb_segment"."ordinal" ASC;

SELECT "kb_collection"."id",
       "kb_collection"."name",
       "kb_collection"."slug",
       "kb_collection"."description",
       "kb_collection"."audience_id",
       "kb_collection"."language",
       "kb_collection"."retention_days",
       "kb_collection"."ranking",
       "kb_collection"."created_at"
FROM "kb_collection"
WHERE ("kb_collection"."audience_id" IN
         (SELECT V0."audience_id" AS "audience"
          FROM "kb_audiencemember" V0
          WHERE (V0."everyone"
                 OR V0."user_id" = %s
                 OR V0."group_id" IN
                   (SELECT U0."id"
                    FROM "auth_group" U0
                    INNER JOIN "auth_user_groups" U1 ON (U0."id" = U1."group_id")
                    WHERE U1."user_id" = %s)))
       AND "kb_collection"."id" IN (%s))
ORDER BY "kb_collection"."name" ASC;

SELECT DISTINCT ON ("kb_segment"."asset_id") "kb_segment"."id" AS "pk",
                   "kb_segment"."asset_id" AS "asset_id"
FROM "kb_segment"
WHERE ("kb_segment"."audience_id" IN
         (SELECT V0."audience_id" AS "audience"
          FROM "kb_audiencemember" V0
          WHERE (V0."everyone"
                 OR V0."user_id" = %s
                 OR V0."group_id" IN
                   (SELECT U0."id"
                    FROM "auth_group" U0
                    INNER JOIN "auth_user_groups" U1 ON (U0."id" = U1."group_id")
                    WHERE U1."user_id" = %s)))
       AND "kb_segment"."asset_id" IN (%s, …)
       AND NOT ("kb_segment"."thumbnail_key" = %s))
ORDER BY 2 ASC,
         "kb_segment"."page" ASC NULLS LAST,
         "kb_segment"."part" ASC,
         "kb_segment"."ordinal" ASC;

SELECT "kb_asset"."id",
       "kb_asset"."collection_id",
       "kb_asset"."media_type",
       "kb_asset"."language"
FROM "kb_asset"
WHERE ("kb_asset"."audience_id" IN
         (SELECT V0."audience_id" AS "audience"
          FROM "kb_audiencemember" V0
          WHERE (V0."everyone"
                 OR V0."user_id" = %s
                 OR V0."group_id" IN
                   (SELECT U0."id"
                    FROM "auth_group" U0
                    INNER JOIN "auth_user_groups" U1 ON (U0."id" = U1."group_id")
                    WHERE U1."user_id" = %s)))
       AND "kb_asset"."id" IN (%s, …))
ORDER BY "kb_asset"."title" ASC,
         "kb_asset"."id" ASC;

SELECT "kb_collection"."id" AS "pk",
       "kb_collection"."slug" AS "slug",
       "kb_collection"."name" AS "name"
FROM "kb_collection"
WHERE ("kb_collection"."audience_id" IN
         (SELECT V0."audience_id" AS "audience"
          FROM "kb_audiencemember" V0
          WHERE (V0."everyone"
                 OR V0."user_id" = %s
                 OR V0."group_id" IN
                   (SELECT U0."id"
                    FROM "auth_group" U0
                    INNER JOIN "auth_user_groups" U1 ON (U0."id" = U1."group_id")
                    WHERE U1."user_id" = %s)))
       AND "kb_collection"."id" IN (%s))
ORDER BY 3 ASC;
