import { Pool } from "pg";

const pool = new Pool({ connectionString: process.env.DATABASE_URL });

export async function articles(): Promise<unknown[]> {
  const result = await pool.query("SELECT id, name, price FROM articles ORDER BY name");
  return result.rows;
}
