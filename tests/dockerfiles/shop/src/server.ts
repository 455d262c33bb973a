import express from "express";
import { articles } from "./articles";

const app = express();
const port = Number(process.env.PORT ?? 3000);

app.use(express.static("public"));
app.get("/articles", async (_request, response) => {
  response.json(await articles());
});

app.listen(port, () => console.log(`shop listens on ${port}`));
