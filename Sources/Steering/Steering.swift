// Steering
