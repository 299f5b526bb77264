"""Files of columns: Parquet, Arrow and npy; read whole, or a batch of rows at a time."""
