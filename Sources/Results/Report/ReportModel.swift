import Foundation

/// Everything that the report shows, as plain values: enough to draw it again without the run.
///
/// Times are in seconds of the run.
public struct ReportModel: Codable, Equatable, Sendable {
    struct Head: Codable, Equatable, Sendable {
        var scenario: String
        var description: String
        var status: String
        var backend: String
        var seed: String
        var version: String
        var digest: String
        var simulatedSeconds: Double
        var warmupSeconds: Double
        var wallSeconds: Double?
    }

    /// One of the figures at the top.
    struct Tile: Codable, Equatable, Sendable {
        var label: String
        var number: String
        var unit: String
        var note: String
        /// `good`, `bad` or empty.
        var tone: String
    }

    /// The time of an incident.
    struct Band: Codable, Equatable, Sendable {
        var label: String
        var subject: String
        var start: Double
        /// Nil where it lasted.
        var end: Double?
        var isDisruptive: Bool
    }

    /// One tunnel over time.
    struct Lane: Codable, Equatable, Sendable {
        struct State: Codable, Equatable, Sendable {
            var start: Double
            var end: Double
            /// `up`, `degraded`, `down` or `adminDown`: the worse of what its two ends say.
            var name: String
        }

        /// The moment at which a node changed its mind.
        struct Mark: Codable, Equatable, Sendable {
            var at: Double
            var state: String
            var text: String
        }

        var name: String
        var states: [State]
        var marks: [Mark]
    }

    /// One direction of one kind of traffic.
    struct Group: Codable, Equatable, Sendable {
        /// A stretch of time on one lane.
        struct Track: Codable, Equatable, Sendable {
            var lane: Int
            var start: Double
            var end: Double
            /// The part of the group's flows that is there.
            var share: Double
        }

        struct Move: Codable, Equatable, Sendable {
            var at: Double
            var from: Int
            var to: Int
        }

        var name: String
        var tracks: [Track]
        var moves: [Move]
    }

    /// One chart.
    struct Panel: Codable, Equatable, Sendable {
        struct Series: Codable, Equatable, Sendable {
            var name: String
            /// Which of the palette's colours, from 0.
            var color: Int
            /// Set where the line may lie on another one.
            var isDashed: Bool
            var times: [Double]
            /// Nil where there was nothing to measure.
            var values: [Double?]
            /// The greatest value of each time, drawn as a shade above the line.
            var peaks: [Double?]?
        }

        var title: String
        var unit: String
        var series: [Series]
    }

    /// A table whose cells are already text.
    struct Table: Codable, Equatable, Sendable {
        struct Column: Codable, Equatable, Sendable {
            var title: String
            var isNumber: Bool
        }

        struct Cell: Codable, Equatable, Sendable {
            var text: String
            /// `good`, `bad` or empty.
            var tone = ""
        }

        var columns: [Column]
        var rows: [[Cell]]
        /// Said where there are no rows, or below them.
        var note = ""
    }

    /// The topology drawn: places are fractions of the width and the height.
    struct Sketch: Codable, Equatable, Sendable {
        struct Node: Codable, Equatable, Sendable {
            var name: String
            var kind: String
            var x: Double
            var y: Double
        }

        struct Edge: Codable, Equatable, Sendable {
            var from: Int
            var to: Int
            var text: String
            var isBroken: Bool
        }

        var nodes: [Node]
        var edges: [Edge]
    }

    var head: Head
    var tiles: [Tile]
    /// The end of the time axis.
    var end: Double
    var bands: [Band]
    var lanes: [Lane]
    /// Tunnels that are not shown because nothing happened to them.
    var quietLaneCount: Int
    var groups: [Group]
    var panels: [Panel]
    var failovers: Table
    /// Nil where nobody attacked.
    var attacks: Table?
    var expectations: Table
    var traffic: Table
    var links: Table
    var timeline: Table
    var metrics: Table
    var sketch: Sketch

    /// The model as it lies in the database.
    func document() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// Reads what ``document()`` made.
    init(document: String) throws {
        self = try JSONDecoder().decode(ReportModel.self, from: Data(document.utf8))
    }
}
