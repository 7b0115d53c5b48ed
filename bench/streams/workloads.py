"""The queries, in the SQL that Pelton and Spark share.

`{events}` is the source as a query names it: for Pelton `STREAM events WATERMARK ...`, for Spark a view that has the
watermark already.
"""

from dataclasses import dataclass, field

ROWS = "k BIGINT, v DOUBLE, at TIMESTAMP"
EVENTS = (
    "event_type INT, dateTime TIMESTAMP, "
    "person STRUCT<id: BIGINT, name: STRING, email_address: STRING, city: STRING, state: STRING>, "
    "auction STRUCT<id: BIGINT, item_name: STRING, initial_bid: BIGINT, reserve: BIGINT, expires: BIGINT, "
    "seller: BIGINT, category: BIGINT>, "
    "bid STRUCT<auction: BIGINT, bidder: BIGINT, price: BIGINT, channel: STRING, url: STRING>"
)


@dataclass(frozen=True)
class Workload:
    name: str
    sql: str
    mode: str = "append"
    columns: str = ROWS
    # Column and delay.
    watermark: tuple = ("at", "10 SECONDS")
    # Whether Spark Structured Streaming can run it.
    in_spark: bool = True
    # How Spark says it, where SQL cannot: other SQL, and the columns of a `dropDuplicates` after it.
    spark_sql: str | None = None
    spark_distinct_on: tuple = ()
    # Tables that are no streams: name -> columns and how many rows.
    tables: dict = field(default_factory=dict)


BATCH = [
    Workload("stateless", "SELECT k, v * 2 AS v, at FROM {events} WHERE k % 10 <> 0"),
    Workload("aggregate", "SELECT k, count(*) AS n, sum(v) AS v FROM {events} GROUP BY k", "update"),
]

# `t` is when the row was sent, in nanoseconds.
LATENCY_ROWS = "k BIGINT, id BIGINT, t BIGINT, at TIMESTAMP"
LATENCY = [
    Workload("stateless", "SELECT k, id, t FROM {events} WHERE k >= 0", columns=LATENCY_ROWS),
    Workload(
        "window count",
        "SELECT window.start AS minute, k, count(*) AS n, max(t) AS t FROM {events} GROUP BY window(at, '1 minute'), k",
        "update",
        LATENCY_ROWS,
    ),
    Workload(
        "deduplication",
        "SELECT DISTINCT ON (id) id, k, t, at FROM {events}",
        columns=LATENCY_ROWS,
        spark_sql="SELECT id, k, t, at FROM {events}",
        spark_distinct_on=("id", "at"),
    ),
    Workload("keyed state", "SELECT k, count(*) AS n, max(t) AS t FROM {events} GROUP BY k", "update", LATENCY_ROWS),
]


def bid(fields="bid.auction AS auction, bid.bidder AS bidder, bid.price AS price"):
    return f"(SELECT dateTime, {fields} FROM {{events}} WHERE event_type = 2)"


def auction(fields="auction.id AS id, auction.seller AS seller, auction.category AS category, auction.item_name AS item_name"):
    return f"(SELECT dateTime, {fields} FROM {{events}} WHERE event_type = 1)"


def person(fields="person.id AS id, person.name AS name, person.city AS city, person.state AS state"):
    return f"(SELECT dateTime, {fields} FROM {{events}} WHERE event_type = 0)"


def nexmark(name, sql, mode="append", **more):
    return Workload(name, " ".join(sql.split()), mode, EVENTS, ("dateTime", "4 SECONDS"), **more)


# https://github.com/nexmark/nexmark: its queries, said so that both systems take them. In q5 and q7 one of several bids
# or auctions that share the first place is told. q6 is left out: it looks at the last rows of what may still change.
NEXMARK = [
    nexmark("q0", f"SELECT auction, bidder, price, dateTime FROM {bid()}"),
    nexmark("q1", f"SELECT auction, bidder, 0.908 * price AS price, dateTime FROM {bid()}"),
    nexmark("q2", f"SELECT auction, price FROM {bid()} WHERE auction % 123 = 0"),
    nexmark(
        "q3",
        f"""SELECT p.name, p.city, p.state, a.id FROM {auction()} a JOIN {person()} p ON a.seller = p.id
            WHERE a.category = 10 AND p.state IN ('or', 'id', 'ca')""",
    ),
    nexmark(
        "q4",
        f"""SELECT category, avg(final) AS mean FROM
            (SELECT a.id, a.category, max(b.price) AS final
             FROM {auction("auction.id AS id, auction.category AS category, timestamp_millis(auction.expires) AS expires")} a
             JOIN {bid()} b ON a.id = b.auction AND b.dateTime BETWEEN a.dateTime AND a.expires
             GROUP BY a.id, a.category) GROUP BY category""",
        "update",
        in_spark=False,
    ),
    nexmark(
        "q5",
        f"""SELECT w, max_by(auction, n) AS auction, max(n) AS n
            FROM (SELECT auction, window(dateTime, '10 seconds', '2 seconds') AS w, count(*) AS n FROM {bid()}
                  GROUP BY auction, window(dateTime, '10 seconds', '2 seconds')) GROUP BY w""",
    ),
    nexmark(
        "q7",
        f"""SELECT window(dateTime, '10 seconds') AS w, max(price) AS price, max_by(bidder, price) AS bidder,
                   max_by(auction, price) AS auction
            FROM {bid()} GROUP BY window(dateTime, '10 seconds')""",
    ),
    nexmark(
        "q8",
        f"""SELECT p.id, p.name, p.w FROM
            (SELECT id, name, window(dateTime, '10 seconds') AS w FROM {person()}
             GROUP BY id, name, window(dateTime, '10 seconds')) p
            JOIN (SELECT seller, window(dateTime, '10 seconds') AS w FROM {auction()}
                  GROUP BY seller, window(dateTime, '10 seconds')) a
            ON p.id = a.seller AND p.w = a.w""",
    ),
    nexmark(
        "q9",
        f"""SELECT id, seller, bidder, price FROM
            (SELECT a.id, a.seller, b.bidder, b.price,
                    row_number() OVER (PARTITION BY a.id ORDER BY b.price DESC, b.dateTime) AS n
             FROM {auction("auction.id AS id, auction.seller AS seller, timestamp_millis(auction.expires) AS expires")} a
             JOIN {bid()} b ON a.id = b.auction AND b.dateTime BETWEEN a.dateTime AND a.expires) WHERE n = 1""",
        "update",
        in_spark=False,
    ),
    nexmark(
        "q11",
        f"""SELECT bidder, count(*) AS bids, session_window(dateTime, '10 seconds').start AS began
            FROM {bid()} GROUP BY bidder, session_window(dateTime, '10 seconds')""",
    ),
    nexmark(
        "q13",
        f"""SELECT b.auction, b.bidder, b.price, b.dateTime, s.word FROM {bid()} b
            JOIN side s ON b.auction % 10000 = s.key""",
        tables={"side": ("key BIGINT, word STRING", 10_000)},
    ),
    nexmark(
        "q15",
        f"""SELECT date_format(dateTime, 'yyyy-MM-dd') AS day, count(*) AS bids, count(DISTINCT bidder) AS bidders,
                   count(DISTINCT auction) AS auctions FROM {bid()} GROUP BY date_format(dateTime, 'yyyy-MM-dd')""",
        "update",
        in_spark=False,
    ),
    nexmark(
        "q16",
        f"""SELECT channel, date_format(dateTime, 'yyyy-MM-dd') AS day, max(date_format(dateTime, 'HH:mm')) AS minute,
                   count(*) AS bids, count(CASE WHEN price < 10000 THEN 1 END) AS low,
                   count(DISTINCT bidder) AS bidders, count(DISTINCT CASE WHEN price < 10000 THEN bidder END) AS low_bidders,
                   count(DISTINCT auction) AS auctions, count(DISTINCT CASE WHEN price < 10000 THEN auction END) AS low_auctions
            FROM {bid("bid.auction AS auction, bid.bidder AS bidder, bid.price AS price, bid.channel AS channel")}
            GROUP BY channel, date_format(dateTime, 'yyyy-MM-dd')""",
        "update",
        in_spark=False,
    ),
    nexmark(
        "q17",
        f"""SELECT auction, date_format(dateTime, 'yyyy-MM-dd') AS day, count(*) AS bids,
                   count(CASE WHEN price < 10000 THEN 1 END) AS low, min(price) AS least, max(price) AS most,
                   avg(price) AS mean, sum(price) AS total
            FROM {bid()} GROUP BY auction, date_format(dateTime, 'yyyy-MM-dd')""",
        "update",
    ),
    nexmark(
        "q18",
        f"""SELECT auction, bidder, price, dateTime FROM
            (SELECT *, row_number() OVER (PARTITION BY bidder, auction ORDER BY dateTime DESC) AS n FROM {bid()})
            WHERE n <= 1""",
        "update",
        in_spark=False,
    ),
    nexmark(
        "q19",
        f"""SELECT auction, bidder, price, dateTime, n FROM
            (SELECT *, row_number() OVER (PARTITION BY auction ORDER BY price DESC) AS n FROM {bid()}) WHERE n <= 10""",
        "update",
        in_spark=False,
    ),
    nexmark(
        "q20",
        f"""SELECT b.auction, b.bidder, b.price, a.item_name, a.seller FROM {bid()} b
            JOIN {auction()} a ON b.auction = a.id WHERE a.category = 10""",
    ),
    nexmark(
        "q22",
        f"""SELECT auction, bidder, price, channel, split(url, '/')[3] AS dir1, split(url, '/')[4] AS dir2,
                   split(url, '/')[5] AS dir3
            FROM {bid("bid.auction AS auction, bid.bidder AS bidder, bid.price AS price, bid.channel AS channel, bid.url AS url")}""",
    ),
]

# Over `rate-micro-batch`: generated rows, so that nothing is decoded.
BULK = Workload(
    "10,000 keys",
    "SELECT value % 10000 AS k, count(*) AS n, sum(value) AS total FROM {events} GROUP BY value % 10000",
    "update",
    "timestamp TIMESTAMP, value BIGINT",
    None,
)


def keyed(keys):
    """A count for each of so many keys, which the generated numbers go round."""
    sql = f"SELECT value % {keys} AS k, count(*) AS n FROM {{events}} GROUP BY value % {keys}"
    return Workload(f"{keys:,} keys", sql, "update", BULK.columns, None)
