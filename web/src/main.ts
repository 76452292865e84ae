import './fonts.css'
import './tokens.css'
import './app.css'
import { mount } from 'svelte'
import App from './App.svelte'
import { desk } from './lib/desk.svelte'

document.documentElement.dataset.theme = desk.theme
mount(App, { target: document.getElementById('app')! })
desk.start()
