// Tests/EndpointsTests
