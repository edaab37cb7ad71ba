// Tests/ScenarioTests
