// Tests/MeasureTests
