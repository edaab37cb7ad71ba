// Tests/SteeringTests
