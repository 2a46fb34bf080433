import { mount } from "svelte";
import "@xterm/xterm/css/xterm.css";
import "./styles/tokens.css";
import "./styles/base.css";
import AppView from "./AppView.svelte";
import { connect } from "./client/connect.ts";
import { App } from "./state/app.svelte.ts";

const target = document.getElementById("app");
if (target === null) throw new Error("the page has no #app");
const app = new App(connect());
mount(AppView, { target, props: { app } });
void app.start();
