// Tests/LinksTests
