{{/* Named templates are global: in an umbrella chart, those of all charts are one set. */}}

{{/* Name of the operator's own objects. */}}
{{- define "workflowexecution.name" -}}
{{- .Values.fullnameOverride | default .Values.nameOverride | default "workflowexecution-controller" | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* Name of the operator's ServiceAccount. */}}
{{- define "workflowexecution.account" -}}
{{- .Values.serviceAccount.name | default (ternary (include "workflowexecution.name" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{/* Labels of the objects that belong to the operator; those that select are written beside them. */}}
{{- define "workflowexecution.labels" -}}
{{- $common := omit .Values.commonLabels "app.kubernetes.io/name" "workflowexecution.kubernaut.ai/shard" -}}
{{- merge (dict "app.kubernetes.io/part-of" "kubernaut") $common | toYaml -}}
{{- end -}}

{{/* The block of labels of the other objects; empty where there are none. */}}
{{- define "workflowexecution.commonLabels" -}}
{{- with .Values.commonLabels -}}
labels:
  {{- toYaml . | nindent 2 }}
{{- end -}}
{{- end -}}

{{/*
The operator's image: by digest where one is given, else by tag. A registry is the first part of a
name, if that has a dot or a colon; a mirror takes its place.
*/}}
{{- define "workflowexecution.image" -}}
{{- $image := .Values.image -}}
{{- $registry := (.Values.global).imageRegistry | default $image.registry -}}
{{- $first := splitList "/" $image.repository | first -}}
{{- $path := $image.repository -}}
{{- if and $registry (ne $first $image.repository) (or (contains "." $first) (contains ":" $first) (eq $first "localhost")) -}}
{{- $path = trimPrefix (printf "%s/" $first) $path -}}
{{- end -}}
{{- with $registry -}}{{- printf "%s/" (trimSuffix "/" .) -}}{{- end -}}
{{- $path -}}
{{- if $image.digest -}}@{{ $image.digest }}{{- else -}}:{{ $image.tag | default .Chart.AppVersion }}{{- end -}}
{{- end -}}

{{/* Names of pull secrets, of this chart and of all charts; each is a name, or an object with one. */}}
{{- define "workflowexecution.pullSecrets" -}}
{{- $names := list -}}
{{- range concat ((.Values.global).imagePullSecrets | default list) .Values.imagePullSecrets -}}
{{- if kindIs "map" . -}}{{- $names = append $names .name -}}{{- else -}}{{- $names = append $names . -}}{{- end -}}
{{- end -}}
{{- range $names | uniq }}
- name: {{ . }}
{{- end -}}
{{- end -}}

{{/* The values of monitoring; `monitoring: true` alone turns all of it on. */}}
{{- define "workflowexecution.monitoring" -}}
{{- $given := .Values.monitoring -}}
{{- if kindIs "bool" $given -}}
{{- $all := dict "rules" true "dashboard" true "interval" "30s" "dashboardLabels" (dict "grafana_dashboard" "1") -}}
{{- $given = set $all "enabled" $given -}}
{{- end -}}
{{- $given | toJson -}}
{{- end -}}
