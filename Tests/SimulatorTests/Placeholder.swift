// Tests/SimulatorTests
