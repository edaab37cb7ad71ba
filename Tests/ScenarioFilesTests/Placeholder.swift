// Tests/ScenarioFilesTests
