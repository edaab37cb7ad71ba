import Foundation
import ScenarioFiles
import Testing

/// The published JSON Schemas name the keys that the decoders read, no more and no fewer.
@Suite struct SchemaTests {
    private func keys(of schema: [String: Any], _ definition: String?) throws -> [String] {
        var object = schema
        if let definition {
            let definitions = try #require(schema["$defs"] as? [String: Any])
            object = try #require(definitions[definition] as? [String: Any], "\(definition)")
        }
        #expect(object["additionalProperties"] as? Bool == false, "\(definition ?? "$")")
        return try #require(object["properties"] as? [String: Any]).keys.sorted()
    }

    private func schema(_ path: String) throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(try octets(path)))
        return try #require(object as? [String: Any])
    }

    @Test func `the topology's schema has the decoder's keys`() throws {
        let schema = try schema("topologies/schema/topology.schema.json")
        let expected: [(String?, [String])] = [
            (nil, KnownKeys.topology), ("import", KnownKeys.importGraph), ("node", KnownKeys.node),
            ("link", KnownKeys.link), ("linkSettings", KnownKeys.linkSettings), ("lossModel", KnownKeys.lossModel),
            ("overlay", KnownKeys.overlay), ("slaClass", KnownKeys.slaClass),
            ("steeringPolicy", KnownKeys.steeringPolicy), ("steeringMatch", KnownKeys.steeringMatch),
            ("bgp", KnownKeys.bgp), ("bgpNeighbor", KnownKeys.bgpNeighbor), ("bgpTimers", KnownKeys.bgpTimers),
            ("bgpGroup", KnownKeys.bgpGroup), ("bgpListener", KnownKeys.bgpListener),
            ("confederation", KnownKeys.confederation), ("aggregate", KnownKeys.aggregate),
            ("prefixLimit", KnownKeys.prefixLimit), ("bfd", KnownKeys.bfd), ("damping", KnownKeys.damping),
            ("collector", KnownKeys.collector),
            ("prefixList", KnownKeys.prefixList), ("prefixListEntry", KnownKeys.prefixListEntry),
            ("communityList", KnownKeys.communityList), ("communityListEntry", KnownKeys.communityListEntry),
            ("routeMap", KnownKeys.routeMap), ("routeMapRule", KnownKeys.routeMapRule),
            ("routeMapMatch", KnownKeys.routeMapMatch), ("routeMapSet", KnownKeys.routeMapSet),
            ("asPathPrepend", KnownKeys.asPathPrepend), ("origin", KnownKeys.origin),
        ]
        for (definition, known) in expected {
            #expect(try keys(of: schema, definition) == known.sorted(), "\(definition ?? "$")")
        }
    }

    @Test func `the scenario's schema has the decoder's keys`() throws {
        let schema = try schema("scenarios/schema/scenario.schema.json")
        let expected: [(String?, [String])] = [
            (nil, KnownKeys.scenario), ("traffic", KnownKeys.traffic), ("event", KnownKeys.event),
            ("flap", KnownKeys.flap), ("bgpIncident", KnownKeys.bgpIncident),
            ("bgpTable", KnownKeys.bgpTable),
            ("cloudIncident", KnownKeys.cloudIncident), ("linkSettings", KnownKeys.linkSettings),
            ("lossModel", KnownKeys.lossModel), ("expectation", KnownKeys.expectation), ("record", KnownKeys.record),
        ]
        for (definition, known) in expected {
            #expect(try keys(of: schema, definition) == known.sorted(), "\(definition ?? "$")")
        }
    }
}
