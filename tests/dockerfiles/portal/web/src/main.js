const list = document.querySelector("#news");
for (const item of await (await fetch("/news")).json()) {
  list.append(Object.assign(document.createElement("li"), { textContent: item.title }));
}
