from fastapi import FastAPI

app = FastAPI()


@app.get("/news")
def news():
    return [{"title": "The portal is open"}]
