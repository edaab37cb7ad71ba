import GRDB

/// Writes `run.sqlite`, whose tables `results/README.md` explains.
///
/// Everything goes in by one transaction with prepared statements, in an order that only the
/// run decides, so that equal runs make equal files but for the seconds on the clock.
enum RunDatabase {
    /// Counts up when a table changes its meaning.
    static let format = 1

    static func write(_ results: RunResults, report: ReportModel, to path: String) throws(ResultsError) {
        do {
            var configuration = Configuration()
            configuration.prepareDatabase { database in
                // The file is new and nobody's but ours until the folder is whole: a journal would protect nothing.
                try database.execute(sql: "PRAGMA page_size = 8192")
                try database.execute(sql: "PRAGMA journal_mode = OFF")
                try database.execute(sql: "PRAGMA synchronous = OFF")
            }
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.write { database in
                try database.execute(sql: schema)
                try writeRun(results, report, to: database)
                try writeTopology(results.record, to: database)
                try writeTraffic(results.record, to: database)
                try writeTelemetry(results.record, to: database)
                try writeConclusions(results, to: database)
                try writeAccounts(results.record, to: database)
                try database.execute(sql: indices)
            }
            try queue.close()
        } catch {
            throw ResultsError(path, "the database cannot be written; \(describe(error))")
        }
    }

    /// What SQLite says, without GRDB's wrapping.
    static func describe(_ error: any Error) -> String {
        guard let error = error as? DatabaseError else { return words(of: error) }
        return error.message ?? error.resultCode.description
    }

    static let schema = """
        CREATE TABLE run (
            format INTEGER NOT NULL, scenario TEXT NOT NULL, description TEXT NOT NULL, backend TEXT NOT NULL,
            seed TEXT NOT NULL, status TEXT NOT NULL, version TEXT NOT NULL, simulated_seconds REAL NOT NULL,
            wall_seconds REAL, digest TEXT NOT NULL, events INTEGER NOT NULL, packet_hops INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE node (id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL) STRICT;
        CREATE TABLE tunnel (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL, first_node TEXT NOT NULL, second_node TEXT NOT NULL
        ) STRICT;
        CREATE TABLE metric (id INTEGER PRIMARY KEY, name TEXT NOT NULL, value REAL, unit TEXT NOT NULL) STRICT;
        CREATE TABLE expectation (
            id INTEGER PRIMARY KEY, metric TEXT NOT NULL, operator TEXT NOT NULL, limit_text TEXT NOT NULL,
            limit_low REAL NOT NULL, limit_high REAL NOT NULL, value REAL, unit TEXT NOT NULL,
            passed INTEGER NOT NULL, reason TEXT
        ) STRICT;
        CREATE TABLE event (
            id INTEGER PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, label TEXT NOT NULL,
            scripted INTEGER NOT NULL, start_ms REAL NOT NULL, end_ms REAL, disruptive INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE attack (
            scripted INTEGER PRIMARY KEY, label TEXT NOT NULL, flow_key TEXT NOT NULL, sent INTEGER NOT NULL,
            reached_nodes INTEGER NOT NULL, policed INTEGER NOT NULL, denied INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE failover (
            id INTEGER PRIMARY KEY, subject TEXT NOT NULL, label TEXT NOT NULL, start_ms REAL NOT NULL,
            detection_ms REAL, reaction_ms REAL, outage_median_ms REAL, outage_max_ms REAL,
            flows_hit INTEGER NOT NULL, packets_lost INTEGER NOT NULL, failbacks INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE failover_flow (
            failover INTEGER NOT NULL REFERENCES failover (id), flow INTEGER NOT NULL, direction TEXT NOT NULL,
            outage_ms REAL NOT NULL, packets_lost INTEGER NOT NULL, switchover_ms REAL
        ) STRICT;
        CREATE TABLE flow (
            number INTEGER NOT NULL, direction TEXT NOT NULL, traffic TEXT NOT NULL, application TEXT NOT NULL,
            flow_key TEXT, sent_packets INTEGER, sent_bytes INTEGER, received_packets INTEGER,
            received_bytes INTEGER, lost_packets INTEGER, duplicates INTEGER, reordered INTEGER,
            latency_mean_ms REAL, latency_p50_ms REAL, latency_p95_ms REAL, latency_p99_ms REAL,
            latency_max_ms REAL, jitter_ms REAL, goodput_bps REAL, mos_mean REAL, longest_gap_ms REAL,
            completions INTEGER, PRIMARY KEY (number, direction)
        ) STRICT;
        CREATE TABLE sample (
            subject TEXT NOT NULL, name TEXT NOT NULL, at_ms REAL NOT NULL, value REAL NOT NULL
        ) STRICT;
        CREATE TABLE path_change (
            at_ms REAL NOT NULL, node TEXT NOT NULL, flow_key TEXT NOT NULL, flow INTEGER, direction TEXT,
            from_tunnel TEXT, to_tunnel TEXT, cause TEXT NOT NULL
        ) STRICT;
        CREATE TABLE verdict (
            at_ms REAL NOT NULL, node TEXT NOT NULL, tunnel TEXT NOT NULL, state TEXT NOT NULL, cause TEXT NOT NULL
        ) STRICT;
        CREATE TABLE session (
            at_ms REAL NOT NULL, node TEXT NOT NULL, peer INTEGER NOT NULL, state TEXT NOT NULL
        ) STRICT;
        CREATE TABLE timeline (
            id INTEGER PRIMARY KEY, at_ms REAL NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL,
            text TEXT NOT NULL
        ) STRICT;
        CREATE TABLE violation (kind TEXT NOT NULL, at_ms REAL NOT NULL, node TEXT, text TEXT NOT NULL) STRICT;
        CREATE TABLE link (
            name TEXT NOT NULL, direction TEXT NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL,
            offered INTEGER NOT NULL, offered_bytes INTEGER NOT NULL, duplicated INTEGER NOT NULL,
            delivered INTEGER NOT NULL, delivered_bytes INTEGER NOT NULL, in_flight INTEGER NOT NULL,
            dropped INTEGER NOT NULL, PRIMARY KEY (name, direction)
        ) STRICT;
        CREATE TABLE link_drop (
            name TEXT NOT NULL, direction TEXT NOT NULL, cause TEXT NOT NULL, packets INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE dataplane (
            node TEXT NOT NULL, cause TEXT NOT NULL, verdict TEXT, packets INTEGER NOT NULL, bytes INTEGER NOT NULL,
            PRIMARY KEY (node, cause)
        ) STRICT;
        CREATE TABLE conservation (
            flow_key TEXT NOT NULL, flow INTEGER, direction TEXT, sent INTEGER NOT NULL,
            duplicated INTEGER NOT NULL, delivered INTEGER NOT NULL, in_flight INTEGER NOT NULL,
            dropped INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE conservation_drop (
            flow_key TEXT NOT NULL, cause TEXT NOT NULL, packets INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE checkpoint (second INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL) STRICT;
        CREATE TABLE checkpoint_device (
            second INTEGER NOT NULL, node INTEGER NOT NULL, fingerprint TEXT NOT NULL, PRIMARY KEY (second, node)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE input (path TEXT NOT NULL, digest TEXT NOT NULL, bytes BLOB NOT NULL) STRICT;
        CREATE TABLE report (document TEXT NOT NULL) STRICT;
        """

    /// Made last: sorting once is cheaper than keeping order.
    static let indices = """
        CREATE INDEX sample_series ON sample (subject, name, at_ms);
        CREATE INDEX metric_name ON metric (name);
        """
}

extension Database {
    /// Fills the columns of a new row of `table`, in order, for each call of the closure it hands out.
    func insertRows(
        into table: String, columnCount: Int,
        _ body: ((_ values: [(any DatabaseValueConvertible)?]) throws -> Void) throws -> Void
    ) throws {
        let places = Array(repeating: "?", count: columnCount).joined(separator: ", ")
        let statement = try makeStatement(sql: "INSERT INTO \(table) VALUES (\(places))")
        try body { values in try statement.execute(arguments: StatementArguments(values)) }
    }
}
