"""kb_vector, partitioned by vector set and, inside a set, by audience.

Partitions of a set are made by workers.index when the set is made: Django cannot declare them. Indexes are made
on the leaves: HNSW needs the dimensions, which differ from set to set.
"""

from django.db import migrations

CREATE = """
CREATE TABLE kb_vector (
    vector_set_id bigint NOT NULL,
    audience_id bigint NOT NULL,
    segment_id bigint NOT NULL REFERENCES kb_segment (id) ON DELETE CASCADE,
    collection_id bigint NOT NULL,
    kind varchar(8) NOT NULL,
    embedding halfvec NOT NULL,
    PRIMARY KEY (vector_set_id, audience_id, segment_id)
) PARTITION BY LIST (vector_set_id);
CREATE INDEX kb_vector_segment ON kb_vector (segment_id);
"""


class Migration(migrations.Migration):
    dependencies = [("kb", "0001_initial")]

    operations = [migrations.RunSQL(CREATE, "DROP TABLE kb_vector")]
