print("patronus-sim")
