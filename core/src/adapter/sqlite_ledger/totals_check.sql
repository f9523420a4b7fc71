-- Each total beside the sum of the rows that it stands for, by dimension.
WITH rows (dimension, added, delivered, disputed, held, missed) AS (
    SELECT dimension, raw, 0, 0, 0, 0 FROM counts
    UNION ALL
    SELECT dimension, raw, 0, iif(place = 'disputed', raw, 0), 0, iif(place = 'missed', raw, 0)
    FROM taken_lots
    UNION ALL
    SELECT dimension, 0, iif(fate = 'recorded', raw, 0), iif(fate = 'disputed', raw, 0),
        iif(fate = 'held', raw, 0), iif(fate = 'missed', raw, 0)
    FROM parts JOIN records ON records.id = parts.record
    UNION ALL
    SELECT dimension, 0, 0, 0, iif(place = 'held', raw, 0), iif(place = 'missed', raw, 0)
    FROM set_aside
    UNION ALL
    SELECT dimension, added, delivered, disputed, held, missed FROM pruned
    UNION ALL
    SELECT dimension, 0, 0, 0, 0, 0 FROM totals
),
sums AS (
    SELECT dimension, sum(added) AS added, sum(delivered) AS delivered, sum(disputed) AS disputed,
        sum(held) AS held, sum(missed) AS missed
    FROM rows GROUP BY dimension
)
SELECT sums.dimension,
    coalesce(totals.added, 0), sums.added,
    coalesce(totals.delivered, 0), sums.delivered,
    coalesce(totals.disputed, 0), sums.disputed,
    coalesce(totals.held, 0), sums.held,
    coalesce(totals.missed, 0), sums.missed
FROM sums LEFT JOIN totals USING (dimension)
