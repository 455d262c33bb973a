const express = require("express");
express().get("/", (_, response) => response.send("ok")).listen(3000);
